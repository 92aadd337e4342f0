/**
 * What stands for a client where clients are told apart by their addresses: the IPv4 address, also where it comes as an IPv6 one, or the
 * first 64 bits of an IPv6 address, of which one client has as many as it likes.
 */
export function clientAddress(address: string | undefined): string {
  if (address === undefined || address === '') return 'unknown';
  if (!address.includes(':')) return address;
  const [plain = ''] = address.toLowerCase().split('%', 1);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = plain.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    // A tail may end as an IPv4 address, which is two groups.
    const lastGroups = last.length + (tail.includes('.') ? 1 : 0);
    while (groups.length + lastGroups < 8) groups.push('0');
    groups.push(...last);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
