const settingsType = 4;
const goAwayType = 7;
const enhanceYourCalm = 11;

/** What an HTTP/2 server sends that lets nobody in: its settings, as the protocol asks, and GOAWAY (RFC 9113, 6.8) with a text. */
export function goAwayFrames(text: string): Buffer {
  const debugData = Buffer.from(text);
  const payload = Buffer.alloc(8 + debugData.length);
  payload.writeUInt32BE(enhanceYourCalm, 4);
  debugData.copy(payload, 8);
  return Buffer.concat([frame(settingsType, Buffer.alloc(0)), frame(goAwayType, payload)]);
}

/** On stream 0, without flags. */
function frame(type: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  return Buffer.concat([header, payload]);
}
