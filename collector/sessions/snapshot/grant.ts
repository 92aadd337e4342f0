import type { SnapshotReader } from '../../../otel/snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../../../otel/snapshot/snapshot-writer.ts';
import { permissions } from '../../config/auth-config.ts';
import { type Grant, type GrantSource, grantFrom } from '../../security/grant.ts';

/** A certificate and a token, and room for what is to come. */
const maxSources = 8;

/** Writes what a peer may do and write, in one piece: what it was let in by may not be in the configuration any more. It holds no secret. */
export function writeGrant(writer: SnapshotWriter, grant: Grant | undefined): void {
  const sources = grant?.sources ?? [];
  writer.varint(sources.length);
  for (const { who, config, captures } of sources) {
    writer.text(who);
    writeTexts(writer, config.permissions);
    writeTexts(writer, config.agents);
    writer.attributes(config.forced);
    writeTexts(writer, config.forbidden);
    writeTexts(writer, captures);
  }
}

/** What {@link writeGrant} wrote; `undefined`: it has no bounds. */
export function readGrant(reader: SnapshotReader): Grant | undefined {
  const count = reader.varint(maxSources, 'a count of grants');
  return grantFrom(Array.from({ length: count }, () => readSource(reader)));
}

function readSource(reader: SnapshotReader): GrantSource {
  const who = reader.text();
  const permitted = readTexts(reader).map((name) => {
    const permission = permissions.find((one) => one === name);
    if (permission === undefined)
      throw reader.error(`${JSON.stringify(name)} is no permission; ${permissions.join(', ')} are`);
    return permission;
  });
  const agents = readTexts(reader);
  const forced = reader.attributes();
  const forbidden = readTexts(reader);
  return { who, config: { permissions: permitted, agents, forced, forbidden }, captures: readTexts(reader) };
}

function writeTexts(writer: SnapshotWriter, texts: readonly string[]): void {
  writer.varint(texts.length);
  for (const text of texts) writer.text(text);
}

function readTexts(reader: SnapshotReader): string[] {
  const count = reader.varint(reader.left, 'a count of strings');
  return Array.from({ length: count }, () => reader.text());
}
