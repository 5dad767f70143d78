import type { LookupFunction } from 'node:net';

/**
 * Whether a name resolves to the local machine everywhere: localhost (RFC 6761), and localtest.me, a public name for 127.0.0.1 that
 * KubeFlex uses for its local control planes.
 */
export function isLocalName(host: string): boolean {
  return /(^|\.)(localhost|localtest\.me)\.?$/i.test(host);
}

/**
 * Resolves a host. Local names are resolved without DNS: resolvers with rebinding protection drop answers of 127.0.0.1, and a
 * machine may have no DNS.
 */
export const lookup: LookupFunction = (host, options, callback) => {
  // Loaded here, because addresses need none of it.
  if (!isLocalName(host)) return process.getBuiltinModule('node:dns').lookup(host, options, callback);
  const [v4, v6] = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ] as const;
  if (options.all) callback(null, [v4, v6]);
  else callback(null, v4.address, v4.family);
};
