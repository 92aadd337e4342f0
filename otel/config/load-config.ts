import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { fileFault } from './file-fault.ts';
import { type Problem, pathText } from './problem.ts';
import { allowedText, keysOf, listed, schemaAt } from './schema-node.ts';
import type { Environment } from './substitution.ts';
import { suggestion } from './suggestion.ts';
import { isSecret, valueText } from './value-text.ts';
import { readYaml, type YamlDocument } from './yaml-document.ts';

const maxFileBytes = 1024 * 1024;

type Path = readonly (string | number)[];

/** Reports a problem at a key path. The value found there is put before the message unless it is a secret. */
export type Report = (path: Path, message: string) => void;

/**
 * Looks at what no single key can tell: several keys together. It gets the top-level keys that are valid by themselves, so that its
 * problems are reported together with those of the other keys.
 */
export type CrossCheck<T> = (valid: Partial<T>, report: Report) => void;

/** Reads a configuration file. Throws {@link ConfigError} when it cannot be read or is larger than 1 MiB. */
export async function readConfigFile(file: string): Promise<string> {
  let text: Buffer;
  try {
    text = await readFile(file);
  } catch (error) {
    throw ConfigError.of(file, `cannot be read: ${fileFault(error)}`);
  }
  if (text.length > maxFileBytes) {
    throw ConfigError.of(file, `found ${text.length} bytes; allowed: ${maxFileBytes} bytes`);
  }
  return text.toString('utf8');
}

/**
 * Makes a configuration of a YAML text: substitution, schema, cross checks. Throws {@link ConfigError} with all problems there are,
 * in the order of their places.
 */
export function parseConfig<S extends z.ZodObject>(
  text: string,
  file: string,
  schema: S,
  environment: Environment,
  check?: CrossCheck<z.output<S>>,
): z.output<S> {
  const document = readYaml(text, file, environment);
  if (!document.isYaml) throw new ConfigError(document.problems);
  const problems = new ProblemList(document, file);
  const root = document.value ?? {};
  const result = schema.safeParse(root);
  if (!result.success) for (const issue of result.error.issues) problems.addIssue(issue, schema);
  check?.(result.success ? result.data : validKeys(schema, root), (path, message) =>
    problems.add(path, `found ${problems.found(path)}; ${message}`),
  );
  if (!result.success || problems.size > 0) throw new ConfigError(problems.sorted());
  return result.data;
}

/** The top-level keys that are valid by themselves. */
function validKeys<S extends z.ZodObject>(schema: S, root: unknown): Partial<z.output<S>> {
  const valid: Record<string, unknown> = {};
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return {};
  for (const [key, part] of Object.entries(schema.shape)) {
    const result = (part as z.ZodType).safeParse((root as Record<string, unknown>)[key]);
    if (result.success) valid[key] = result.data;
  }
  return valid as Partial<z.output<S>>;
}

class ProblemList {
  readonly #document: YamlDocument;
  readonly #file: string;
  readonly #problems: Problem[];
  readonly #withUnknownKey = new Set<string>();

  constructor(document: YamlDocument, file: string) {
    this.#document = document;
    this.#file = file;
    this.#problems = [...document.problems];
  }

  get size(): number {
    return this.#problems.length;
  }

  sorted(): Problem[] {
    return this.#problems.sort((a, b) => a.line - b.line || a.column - b.column);
  }

  add(path: Path, message: string, isKey = false): void {
    const place = this.#document.placeOf(path);
    const at = pathText(path);
    // What could not be read has been reported, and what is made of it says nothing.
    if (this.#document.problems.some((problem) => problem.path === at)) return;
    const [line, column] = isKey ? [place.keyLine, place.keyColumn] : [place.line, place.column];
    this.#problems.push({ file: this.#file, line, column, path: at, message });
  }

  /** The value found at a path, in words that may be shown. */
  found(path: Path): string {
    const { variables } = this.#document.placeOf(path);
    const value = valueAt(this.#document.value, path);
    const isHidden = isSecret(path) || variables.some((name) => isSecret([name]));
    const shown = isHidden && typeof value !== 'object' ? 'a value that is not shown' : valueText(value);
    if (variables.length === 0) return shown;
    return `${shown} (from ${listed(
      variables.map((name) => `\${${name}}`),
      'and',
    )})`;
  }

  addIssue(issue: z.core.$ZodIssue, schema: z.ZodObject): void {
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) this.#addUnknownKey(path, key, schema);
      return;
    }
    // A mapping with a key that is not known may lack the key that was meant.
    if (issue.code === 'custom' && this.#withUnknownKey.has(pathText(path))) return;
    const at = schemaAt(schema, path);
    const allowed = at === undefined ? 'see the reference' : allowedText(at);
    const isStated = issue.code === 'custom' && issue.message !== 'Invalid input';
    const found = hasKey(this.#document.value, path) ? `found ${this.found(path)}` : 'missing';
    this.add(path, `${found}; ${isStated ? issue.message : `allowed: ${allowed}`}`);
  }

  #addUnknownKey(path: Path, key: string, schema: z.ZodObject): void {
    this.#withUnknownKey.add(pathText(path));
    const at = schemaAt(schema, path);
    const known = at === undefined ? [] : keysOf(at);
    const meant = suggestion(key, known);
    const hint = meant === undefined ? '' : `, did you mean ${meant}?`;
    this.add(
      [...path, key],
      `unknown key${hint === '' ? ';' : `${hint}`} allowed: ${known.join(', ')}`,
      true,
    );
  }
}

function hasKey(value: unknown, path: Path): boolean {
  if (path.length === 0) return true;
  const holder = valueAt(value, path.slice(0, -1));
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, path.at(-1)!);
}

function valueAt(value: unknown, path: Path): unknown {
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
