import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/**
 * Whether a name means the machine that asks, wherever it is asked: localhost (RFC 6761), and localtest.me, a public name for
 * 127.0.0.1 that KubeFlex uses for its local control planes.
 */
export function isLocalName(host: string): boolean {
  return /(^|\.)(localhost|localtest\.me)\.?$/i.test(host);
}

/**
 * Finds the addresses of a host. Local names are answered without DNS: resolvers that guard against rebinding keep answers of
 * 127.0.0.1 back, and a machine may have no DNS at all.
 */
export const lookup: LookupFunction = (host, options, callback) => {
  if (!isLocalName(host)) return systemLookup(host, options, callback);
  const [v4, v6] = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ] as const;
  if (options.all) callback(null, [v4, v6]);
  else callback(null, v4.address, v4.family);
};
