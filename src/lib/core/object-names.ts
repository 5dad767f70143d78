import { StellarError } from './errors.ts';

const dnsLabel = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const labelPattern = new RegExp(`^${dnsLabel}$`);
const subdomainPattern = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`);
const rule = (characters: string) =>
  `only lower-case letters, ${characters} are possible, with a letter or digit at both ends`;

/** Checks an object name that is a DNS label (apimachinery, IsDNS1123Label). @throws StellarError `usage` */
export function checkDnsLabel(name: string, what: string): void {
  if (name.length > 63) throw notAName(name, what, 'it has more than 63 characters');
  if (!labelPattern.test(name)) throw notAName(name, what, rule('digits and hyphens'));
}

/** Checks the name of a Namespace. @throws StellarError `usage` */
export const checkNamespace = (name: string) => checkDnsLabel(name, 'a Namespace');

/**
 * Checks an object name that is a DNS name (apimachinery, IsDNS1123Subdomain).
 * @param what such as `a binding policy`
 * @throws StellarError `usage`
 */
export function checkDnsName(name: string, what: string): void {
  if (name.length > 253) throw notAName(name, what, 'it has more than 253 characters');
  if (!subdomainPattern.test(name)) throw notAName(name, what, rule('digits, hyphens and dots'));
}

/** Checks the name of an object of any kind: a path segment (apimachinery, IsValidPathSegmentName). @throws StellarError `usage` */
export function checkPathSegment(name: string): void {
  if (name === '.' || name === '..' || /[/%]/.test(name))
    throw notAName(name, 'an object', '".", ".." and names with "/" or "%" are not possible');
}

const notAName = (name: string, what: string, why: string) =>
  new StellarError('usage', `"${name}" cannot be the name of ${what}: ${why}.`);

/**
 * Whether text is the address of an API server: https, in printable ASCII, without user, password, query and fragment. It is used as it is
 * written: OCM's agents register again where the spelling changes.
 */
export const isServerAddress = (text: unknown): text is string =>
  typeof text === 'string' &&
  /^https:\/\/[^/?#\\@]+(?:\/[^?#\\]*)?$/i.test(text) &&
  /^[!-~]+$/.test(text) &&
  URL.canParse(text);

/** Whether text can be a bearer token (RFC 6750: b64token, the token68 of RFC 7235). */
export const isToken = (text: unknown): text is string =>
  typeof text === 'string' && /^[\w.~+/-]+=*$/.test(text);
