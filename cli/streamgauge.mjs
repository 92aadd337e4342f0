#!/usr/bin/env node
// The entry point that any Node can parse: it says in one sentence what to do when Node is too old, and loads the program otherwise
// (the TypeScript sources in a clone, the built JavaScript in the published package).
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 20)) {
  process.stderr.write(
    `streamgauge needs Node 22.20 or later, and this is Node ${process.versions.node}: install a newer Node, or in a clone use \`npm start\`, which brings its own.\n`,
  );
  process.exit(1);
}
const source = new URL('./main.ts', import.meta.url);
const isClone = existsSync(source);
// Stripping types takes a compiler that stays in memory, 27 MB of it. With a cache it is needed at the first start only. A folder that cannot be
// written makes no difference but that; coverage wants the sources compiled anew.
if (isClone && !process.env.NODE_V8_COVERAGE)
  nodeModule.enableCompileCache?.(
    fileURLToPath(new URL('../node_modules/.cache/streamgauge', import.meta.url)),
  );
const { main } = await import(isClone ? source.href : new URL('./main.js', import.meta.url).href);
await main(process.argv);
