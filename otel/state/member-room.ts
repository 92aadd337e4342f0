import type { Member } from './members.ts';

/** What the attributes of a member's series may take on average. */
const bytesPerSlot = 256;

/** What the definitions of a member's series may take that holds so many series at most. */
export function maxDefinitionBytesOf(maxSlots: number): number {
  return maxSlots * bytesPerSlot;
}

/** Whether a member has room for another series. What it holds is counted as if it shared no definition with others. */
export function hasRoom({ slots, definitionBytes }: Member, maxSlots: number): boolean {
  return slots < maxSlots && definitionBytes < maxDefinitionBytesOf(maxSlots);
}

/** Why it has none, as a sentence's beginning. @param who "the member" */
export function noRoomReason(who: string, { slots, definitionBytes }: Member, maxSlots: number): string {
  if (slots >= maxSlots)
    return `${who} has ${slots} series, ended ones that readers wait for included; at most ${maxSlots} are held`;
  return `${who} has series with ${definitionBytes} bytes of attributes, ended ones that readers wait for included; at most ${maxDefinitionBytesOf(maxSlots)} are held`;
}
