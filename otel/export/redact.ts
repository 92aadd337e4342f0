const longestMessage = 512;
const shortestSecret = 4;
/** What a terminal obeys and does not show: both sets of control characters, breaks of lines, and what turns the direction of a text. */
const hidden = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu;

/**
 * Makes the function that prepares texts from a backend for logs, errors and pages: the values of configured headers are
 * taken out, in case a backend repeats them, control characters become spaces, and the text is cut to 512 characters.
 */
export function redactor(headers: Readonly<Record<string, string>>): (text: string) => string {
  const secrets = Object.values(headers)
    .flatMap((value) => [value, ...value.split(/\s+/)])
    .filter((value) => value.length >= shortestSecret)
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text.slice(0, longestMessage * 4);
    for (const secret of secrets) clean = clean.replaceAll(secret, '[redacted]');
    return clean.replace(hidden, ' ').slice(0, longestMessage);
  };
}
