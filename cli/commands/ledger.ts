import { type AdminAddressFlags, adminAddress } from '../admin-address.ts';
import { askAdmin } from '../ask-admin.ts';
import { inputTable, outputTables } from '../ledger-table.ts';

export interface LedgerFlags extends AdminAddressFlags {
  readonly metric?: string;
  readonly member?: string;
  readonly byMember?: boolean;
  readonly limit?: string;
  readonly json?: boolean;
}

/** `streamgauge ledger`: asks a collector for its books and prints them. Ends with 1 when they do not balance. */
export async function runLedger(flags: LedgerFlags): Promise<void> {
  const query = new URLSearchParams();
  if (flags.metric !== undefined) query.set('metric', flags.metric);
  if (flags.member !== undefined) query.set('member', flags.member);
  if (flags.byMember === true) query.set('by', 'member');
  if (flags.limit !== undefined) query.set('limit', flags.limit);
  const text = await askAdmin(adminAddress(flags), `/ledger?${query}`, flags);
  if (flags.json === true) process.stdout.write(text);
  const { input, output } = JSON.parse(text);
  if (flags.json !== true) process.stdout.write(`${inputTable(input)}${outputTables(output)}`);
  if (!input.isBalanced || !output.isBalanced) process.exitCode = 1;
}
