import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
} from 'yaml';
import { type Problem, pathText } from './problem.ts';
import { type Environment, substitute } from './substitution.ts';
import { isSecret, quoted } from './value-text.ts';

const maxNodes = 50_000;
const maxDepth = 64;
const tooDeep = `nested too deeply; allowed: ${maxDepth} levels`;
// biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax is what the message tells.
const allowedReferences = '${NAME}, ${env:NAME}, ${NAME:-default}, and $$ for a dollar sign';

/** Where a key path stands in the file, and from which environment variables its value came. */
export interface Place {
  /** Of the key, or of the list's item. From 1. */
  readonly keyLine: number;
  readonly keyColumn: number;
  /** Of the value. */
  readonly line: number;
  readonly column: number;
  readonly variables: readonly string[];
}

type Path = readonly (string | number)[];

/** A YAML document as plain values, with the place of each. */
export interface YamlDocument {
  /** Mappings as objects, sequences as arrays, scalars by the YAML 1.2 core schema, after substitution. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** False: what the text says is not known, and so `value` says nothing. */
  readonly isYaml: boolean;
  /** The place of a key path, or of the nearest one above it that is in the file. */
  placeOf(path: Path): Place;
}

/**
 * Reads YAML 1.2 (core schema, so only safe types), substitutes environment variables in scalar values, and resolves the type
 * of each scalar after that. All faults are returned together: syntax, keys given twice, unknown tags, references that are not
 * valid, aliases that expand without bound. Never throws for what the text holds.
 */
export function readYaml(text: string, file: string, environment: Environment): YamlDocument {
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      // Looked at below, where the key path is known.
      uniqueKeys: false,
      version: '1.2',
      schema: 'core',
      merge: false,
      // Without it !!binary, !!set and !!timestamp would become objects.
      resolveKnownTags: false,
    });
  } catch (error) {
    // The parser recurses, and so a document that is nested very deeply ends the stack.
    if (!(error instanceof RangeError)) throw error;
    const message = tooDeep;
    return withoutValue({ file, line: 1, column: 1, path: '', message });
  }
  return new Reader(document, lines, file, environment);
}

function withoutValue(problem: Problem): YamlDocument {
  const place = { keyLine: 1, keyColumn: 1, line: 1, column: 1, variables: [] };
  return { value: undefined, problems: [problem], isYaml: false, placeOf: () => place };
}

class Reader implements YamlDocument {
  readonly value: unknown;
  readonly problems: Problem[] = [];
  readonly isYaml: boolean;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #file: string;
  readonly #environment: Environment;
  readonly #places = new Map<string, Place>();
  readonly #anchors = new Map<string, unknown>();
  #nodes = 0;

  constructor(document: Document.Parsed, lines: LineCounter, file: string, environment: Environment) {
    this.#document = document;
    this.#lines = lines;
    this.#file = file;
    this.#environment = environment;
    const version = document.directives.yaml;
    if (version.explicit && version.version !== '1.2') {
      this.#report(0, [], `found %YAML ${version.version}; allowed: YAML 1.2`);
    }
    const faults = [...document.errors, ...document.warnings];
    const reasons = new Set<string>();
    for (const fault of faults) {
      const reason = syntaxFault(fault.message);
      if (!reasons.has(reason)) this.#report(fault.pos[0], [], reason);
      reasons.add(reason);
    }
    this.isYaml = this.problems.length === 0;
    this.value = this.#convert(document.contents, [], 0);
  }

  placeOf(path: Path): Place {
    for (let length = path.length; length >= 0; length--) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return { keyLine: 1, keyColumn: 1, line: 1, column: 1, variables: [] };
  }

  #position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  #report(offset: number, path: Path, message: string): void {
    this.problems.push({ file: this.#file, ...this.#position(offset), path: pathText(path), message });
  }

  #convert(node: unknown, path: Path, keyOffset: number, valueOffset?: number): unknown {
    const offset =
      valueOffset ?? (node as { range?: [number, number, number] } | null)?.range?.[0] ?? keyOffset;
    // One line says it; the rest is not looked at.
    if (++this.#nodes > maxNodes || path.length > maxDepth) {
      if (this.#nodes !== Number.POSITIVE_INFINITY) {
        this.#report(
          offset,
          path,
          `too large; allowed: ${maxNodes} values, ${maxDepth} levels, aliases expanded`,
        );
      }
      this.#nodes = Number.POSITIVE_INFINITY;
      return null;
    }
    if (isAlias(node)) {
      if (this.#anchors.has(node.source)) {
        return this.#convert(this.#anchors.get(node.source), path, keyOffset, offset);
      }
      const found = isSecret(path) ? 'an alias that is not shown' : quoted(`*${node.source}`);
      this.#report(offset, path, `found ${found}; allowed: an anchor given above`);
      return null;
    }
    const anchor = (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    let variables: readonly string[] = [];
    let value: unknown = null;
    if (isMap(node)) value = this.#mapping(node.items, path);
    else if (isSeq(node)) {
      value = node.items.map((item, index) => this.#convert(item, [...path, index], offset));
    } else if (isScalar(node)) [value, variables] = this.#scalar(node, path, offset);
    const key = this.#position(keyOffset);
    this.#places.set(JSON.stringify(path), {
      keyLine: key.line,
      keyColumn: key.column,
      ...this.#position(offset),
      variables,
    });
    return value;
  }

  #mapping(items: readonly { key: unknown; value: unknown }[], path: Path): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (const { key, value } of items) {
      const offset = (key as { range?: [number, number, number] } | null)?.range?.[0] ?? 0;
      if (!isScalar(key) || key.value === null || key.source === '__proto__') {
        this.#report(offset, path, 'found a key that is not text; allowed: plain keys');
        continue;
      }
      const name = key.source ?? String(key.value);
      const at = [...path, name];
      if (Object.hasOwn(object, name)) {
        const first = this.placeOf(at);
        this.#report(offset, at, `given twice, first at line ${first.keyLine}; allowed: each key once`);
        continue;
      }
      object[name] = this.#convert(value, at, offset);
    }
    return object;
  }

  #scalar(node: Scalar, path: Path, offset: number): [value: unknown, variables: readonly string[]] {
    const source = typeof node.value === 'string' && node.type !== 'PLAIN' ? node.value : (node.source ?? '');
    if (!source.includes('$')) return [node.value, []];
    const result = substitute(source, this.#environment);
    if ('invalid' in result) {
      for (const reference of result.invalid) {
        const found = isSecret(path) ? 'what is not shown' : quoted(reference);
        this.#report(offset, path, `found ${found}, no valid reference; allowed: ${allowedReferences}`);
      }
      return [null, []];
    }
    const isText = node.type !== 'PLAIN' || node.tag !== undefined;
    return [isText ? result.text : this.#resolve(result.text), result.names];
  }

  /** The value of a plain scalar's text by the core schema. */
  #resolve(text: string): unknown {
    for (const tag of this.#document.schema.tags) {
      if (tag.default !== true || tag.collection !== undefined || tag.test?.test(text) !== true) continue;
      const resolved: unknown = tag.resolve(text, () => undefined, this.#document.options);
      return isScalar(resolved) ? resolved.value : resolved;
    }
    return text;
  }
}

/** The parser's reason on one line, without what it quotes from the text: that may be a secret. */
function syntaxFault(message: string): string {
  if (message.includes('call stack')) return tooDeep;
  if (message.includes('multiple documents')) return 'more than one document; allowed: one';
  return `not valid YAML: ${message.replace(/ in YAML stream: .*$/s, '').replace(/\s+/g, ' ')}`;
}
