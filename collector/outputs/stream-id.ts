// The ids of metric streams within a resource and scope. They begin with the number of a plan and a colon. Streams of one identity that do
// not take each other's series are variants: all but the first have their number and a bar before that.

export function variantId(streamId: string, variant: number): string {
  return variant === 0 ? streamId : `${variant}|${streamId}`;
}

export function firstVariant(streamId: string): string {
  return streamId.replace(/^\d+\|/, '');
}

/** 0: the first. */
export function variantOf(streamId: string): number {
  const found = /^(\d+)\|/.exec(streamId);
  return found === null ? 0 : Number(found[1]);
}
