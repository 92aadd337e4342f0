const longestMessage = 512;
const shortestSecret = 4;

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
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
    return clean.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, longestMessage);
  };
}
