/** A status's details as grpc-js gives them, without the note on name resolution that it ends them with when there is none. */
export function plainDetails(details: string): string {
  return details.replace(/\.? *Resolution note: *$/, '');
}
