/**
 * The server name in the ClientHello that a TLS connection begins with (RFC 8446, section 4.1.2, and RFC 6066, section 3):
 * undefined if there is none or if it is not TLS, `incomplete` while more data is needed.
 */
export function serverNameOf(start: Buffer): string | undefined | 'incomplete' {
  if (start.length < 5) return 'incomplete';
  const isHandshake = start[0] === 0x16;
  if (!isHandshake) return undefined;
  const end = 5 + start.readUInt16BE(3);
  if (start.length < end) return 'incomplete';
  try {
    return nameIn(start.subarray(5, end));
  } catch (error) {
    // Truncated if a length says that more would follow.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function nameIn(hello: Buffer): string | undefined {
  // Message type and length, version, random.
  let at = 1 + 3 + 2 + 32;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  for (at += 2; at + 4 <= hello.length; ) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    at += 4;
    if (type === 0) {
      // A list, whose first entry is a type and the name.
      const nameLength = hello.readUInt16BE(at + 3);
      return hello.toString('ascii', at + 5, at + 5 + nameLength);
    }
    at += length;
  }
  return undefined;
}
