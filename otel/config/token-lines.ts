/** What RFC 6750 lets a bearer token be. */
const tokenForm = /^[A-Za-z0-9._~+/-]+=*$/;
/** 16 characters of random base64 are 96 bits, which nobody guesses. */
const minTokenLength = 16;
const maxTokenLength = 4096;
const maxTokens = 64;

/**
 * The bearer tokens in a file's text: one a line; blank lines and those that begin with `#` do not count. Gives a sentence, which holds
 * nothing of the file, when there is none or one that cannot be.
 */
export function tokenLines(text: string): readonly string[] | string {
  const tokens = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    const token = line.trim();
    if (token === '' || token.startsWith('#')) continue;
    const where = `holds in line ${index + 1}`;
    if (token.length < minTokenLength)
      return `${where} a token of ${token.length} characters; at least ${minTokenLength} are needed, random ones, as openssl rand -hex 32 gives`;
    if (token.length > maxTokenLength)
      return `${where} a token of ${token.length} characters; at most ${maxTokenLength} are allowed`;
    if (!tokenForm.test(token))
      return `${where} what is no bearer token: letters, digits, - . _ ~ + / are allowed, and = at the end`;
    tokens.add(token);
    if (tokens.size > maxTokens) return `holds more than ${maxTokens} tokens`;
  }
  return tokens.size === 0 ? 'holds no token: put one in, on a line of its own' : [...tokens];
}
