import { createHash, timingSafeEqual } from 'node:crypto';
import { shownTokenPath } from '../../otel/config/file-fault.ts';
import { tokenLines } from '../../otel/config/token-lines.ts';
import type { TokenConfig } from '../config/auth-config.ts';
import { configuredGrant, type Grant } from './grant.ts';
import { fileProblem, type WatchedFile, WatchedFiles } from './watched-files.ts';

interface KnownToken {
  readonly hash: Buffer;
  readonly grant: Grant;
}

export interface TokensLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The bearer tokens of all files, as hashes; the tokens themselves are not kept. */
export class Tokens {
  readonly #files: WatchedFiles<readonly KnownToken[]>;

  /** @throws ConfigError naming the file that cannot be used */
  constructor(configs: readonly TokenConfig[], intervalMs: number, log: TokensLog) {
    const files = configs.map(({ tokenFile }, index) => ({
      key: `auth.tokens[${index}].token_file`,
      path: tokenFile,
      shown: shownTokenPath(tokenFile),
    }));
    const grants = configs.map((config) => configuredGrant(`token ${config.name}`, config));
    this.#files = new WatchedFiles({
      files,
      intervalMs,
      read: (contents) => known(files, contents, grants),
      onChange: (tokens) =>
        log.info({ tokens: tokens.length }, 'files of tokens were read again; what they hold now counts'),
      onBroken: (error) =>
        log.error(
          { problem: error.message },
          'files of tokens have changed and cannot be used; what they held before goes on',
        ),
    });
  }

  start(): void {
    this.#files.start();
  }

  stop(): void {
    this.#files.stop();
  }

  /** What a token permits, or `undefined` for one that is not known. How long it takes says nothing of how near it came. */
  find(token: string): Grant | undefined {
    const hash = hashOf(token);
    let found: Grant | undefined;
    for (const { hash: other, grant } of this.#files.value) if (timingSafeEqual(hash, other)) found = grant;
    return found;
  }
}

function known(
  files: readonly WatchedFile[],
  contents: readonly Buffer[],
  grants: readonly Grant[],
): readonly KnownToken[] {
  const seen = new Map<string, WatchedFile>();
  return files.flatMap((file, index) => {
    const tokens = tokenLines(contents[index]!.toString('utf8'));
    if (typeof tokens === 'string') throw fileProblem(file, tokens);
    return tokens.map((token): KnownToken => {
      const hash = hashOf(token);
      const key = hash.toString('latin1');
      const other = seen.get(key);
      if (other !== undefined)
        throw fileProblem(file, `holds a token that ${other.shown} has, too: a token stands for one entry`);
      seen.set(key, file);
      return { hash, grant: grants[index]! };
    });
  });
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
