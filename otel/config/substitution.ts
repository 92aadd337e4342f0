// Environment variable substitution after OpenTelemetry's configuration data model:
// https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution

/** The outcome of a substitution: the text with the names of the variables it took in, or the references that are not valid. */
export type Substitution =
  | { readonly text: string; readonly names: readonly string[] }
  | { readonly invalid: readonly string[] };

export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$\{([^}]+)\}/g;
const environmentReference = /^(?:env:)?([a-zA-Z_][a-zA-Z0-9_]*)(?::-([^\n]*))?$/;

/**
 * Replaces `${NAME}`, `${env:NAME}` and `${NAME:-default}` in a scalar's text, and `$$` by `$`. A variable that is not set is
 * replaced by its default, else by nothing. What a variable holds is taken as it is: neither references nor `$$` in it count.
 */
export function substitute(input: string, environment: Environment): Substitution {
  const names: string[] = [];
  const invalid: string[] = [];
  // An escape ends what a reference may span, so the text between two escapes is looked at by itself.
  const text = input
    .split('$$')
    .map((part) =>
      part.replace(reference, (whole, content: string) => {
        const match = environmentReference.exec(content);
        if (match === null) {
          invalid.push(whole);
          return '';
        }
        const [, name, fallback] = match;
        names.push(name!);
        const value = environment[name!];
        return value === undefined || value === '' ? (fallback ?? '') : value;
      }),
    )
    .join('$');
  return invalid.length > 0 ? { invalid } : { text, names };
}
