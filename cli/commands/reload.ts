import type { ConfigChange } from '../../collector/reload/config-changes.ts';
import { type AdminAddressFlags, adminAddress } from '../admin-address.ts';
import { askAdmin } from '../ask-admin.ts';

/** `streamgauge reload`: asks a collector to read its configuration again, and prints what changed. */
export async function runReload(flags: AdminAddressFlags): Promise<void> {
  const text = await askAdmin(adminAddress(flags), '/reload', flags, 'POST');
  const { changes } = JSON.parse(text) as { readonly changes: readonly ConfigChange[] };
  const lines = changes.map(
    ({ key, before, after }) => `${key}: ${before ?? '(nothing)'} -> ${after ?? '(nothing)'}\n`,
  );
  process.stdout.write(lines.length === 0 ? 'Nothing has changed.\n' : lines.join(''));
}
