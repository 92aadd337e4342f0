import type { z } from 'zod';
import { allowedText, elementOf, keysOf, metaOf, shapeOf, unwrap } from '../otel/config/schema-node.ts';

type Schema = z.core.$ZodType;

interface Row {
  readonly path: string;
  readonly allowed: string;
  readonly fallback: string;
  readonly description: string;
}

/** A table in Markdown of all keys of a configuration's schema: path, what is allowed, default, meaning. */
export function referenceTable(schema: Schema): string {
  const lines = ['| key | allowed | default | what it does |', '| --- | --- | --- | --- |'];
  for (const row of rows(schema, '')) {
    const cells = [`\`${row.path}\``, row.allowed, row.fallback, row.description];
    lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  }
  return lines.join('\n');
}

function* rows(schema: Schema, prefix: string): Generator<Row> {
  const shape = shapeOf(schema) ?? {};
  for (const key of keysOf(schema)) {
    const child = shape[key]!;
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const element = elementOf(child);
    const inner = shapeOf(child) ?? (element === undefined ? undefined : shapeOf(element));
    yield {
      path,
      allowed: inner === undefined ? allowedText(child) : element === undefined ? 'a mapping' : 'a list',
      fallback: fallbackText(child, inner !== undefined && element === undefined),
      description: metaOf(child, 'description') ?? '',
    };
    if (inner !== undefined) yield* rows(element ?? child, element === undefined ? path : `${path}[]`);
  }
}

/** The default in words: empty for a mapping, whose keys have their own. */
function fallbackText(schema: Schema, isMapping: boolean): string {
  const stated = metaOf(schema, 'defaultText');
  if (stated !== undefined) return stated;
  const value = defaultOf(schema);
  if (value !== undefined) return typeof value === 'object' ? JSON.stringify(value) : `\`${String(value)}\``;
  return isMapping ? '' : isRequired(schema) ? 'required' : 'none';
}

function defaultOf(schema: Schema): unknown {
  for (;;) {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    if (def.type === 'default') return def.defaultValue;
    if (def.type === 'pipe') schema = def.in._zod.def.type === 'transform' ? def.out : def.in;
    else if (def.type === 'optional' || def.type === 'nullable') schema = def.innerType;
    else return undefined;
  }
}

function isRequired(schema: Schema): boolean {
  return schema === unwrap(schema);
}
