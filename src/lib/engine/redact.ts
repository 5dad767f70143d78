/** The placeholder for removed text. */
export const removed = '<removed>';

/** The endings of names of fields, flags and variables whose values are secret. Names of objects are not secret: `secretName`. */
const ending =
  '(?:token|(?<![a-z])pass|passw(?:or)?d|pwd|passphrase|(?<=_)secret|credentials?|(?:api|access|private|client)[-_]?key|client[-_]?secret|auth(?:orization)?|bearer|cookie|(?:client-key|client-certificate|certificate-authority)-data)';
export const isSecretName = new RegExp(`${ending}$|^secret$`, 'i');
export const isSecretFlag = new RegExp(`^--?[\\w.-]*${ending}$`, 'i');
/** A value in brackets, in quotes of any kind, as a YAML block, or as one word. */
const value = `\\[[^\\][\\n]*\\]|"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'|'[^']*'|\\\\+"[^"]*"|[|>][-+0-9]*[ \\t]*\\n(?:[ \\t]+[^\\n]*(?:\\n|$))+|[^\\s"',;{}[\\]]+`;
const flag = new RegExp(`((?<![\\w-])--?[\\w.-]*${ending}(?:=|\\s+))(?:${value})`, 'gi');
/** A field of YAML, JSON, JSON in JSON, or `NAME=VALUE`. */
const field = new RegExp(
  `((?<![\\w.-])[\\w.-]*${ending}\\\\*["']?[ \\t]*(?:=>|:=|[:=])(?:[ \\t]*\\n)?[ \\t]*)(${value})`,
  'gi',
);
/** `name: DB_PASSWORD, value: …`, the variables of containers, in YAML, JSON and JSON in JSON. */
const variable = new RegExp(
  `(name\\\\*["']?:[ \\t]*\\\\*["']?[\\w.-]*(?:${ending})[\\w.-]*\\\\*["']?,?\\s*\\\\*["']?value\\\\*["']?:[ \\t]*)(?:${value})`,
  'gi',
);

/** Secrets that are recognized by their form anywhere. */
const forms: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  // The first lines may have been cut off.
  /(?<![A-Za-z0-9+/=]\r?\n)(?:^[A-Za-z0-9+/=]+\r?\n)*^-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/gm,
  // JSON Web Tokens, whole and truncated, plain and in base64.
  /\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){0,2}/g,
  /ZXlK[A-Za-z0-9+/_-]{20,}={0,2}/g,
  // kubeadm bootstrap tokens, GitHub, GitLab and Slack tokens, AWS access keys.
  /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-)[A-Za-z0-9_-]{16,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
];
const authorization = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi;
/** Headers whose value extends to the end of the line: several cookies, and schemes other than the ones above. */
const header =
  /\b((?:(?:set-)?cookie|authorization(?=\W{1,6}(?:token|(?:api-?|genie)?key|digest|negotiate|aws4)\b))\\*["']?\s*[:=]\s*\[?\\*["']?)[^\n"'\]\\]+/gi;
/** User and password in a URL. */
const userOfUrl = /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/)[^\s/"'?#]*@/gi;
/** `curl -u NAME:PASSWORD` */
const userFlag = /((?<![\w-])(?:-u|--(?:proxy-)?user)[=\s]+["']?)[^\s:"'/]+:[^\s"']+/g;
/** Long enough to contain one of the secrets above. */
const base64 = /[A-Za-z0-9+/_-]{24,}={0,2}/g;

/** Prose such as `refused the token: expired`. */
const isProse = (name: string, value: string, before: string): boolean =>
  /^[a-z]+[.:)]?$/.test(value) && /\w: $/.test(name) && /^[a-z] $/i.test(before);

/** Removes from a text everything that looks like a token, a password or a private key, also inside base64. */
export function redactText(text: string): string {
  const plain = forms
    .reduce((rest, form) => rest.replace(form, removed), text)
    .replace(authorization, `$1 ${removed}`)
    .replace(header, `$1${removed}`)
    .replace(userOfUrl, '$1')
    .replace(userFlag, `$1${removed}`)
    .replace(variable, `$1${removed}`)
    .replace(flag, `$1${removed}`)
    .replace(field, (whole, name: string, value: string, at: number, all: string) =>
      isProse(name, value, all.slice(Math.max(0, at - 2), at)) ? whole : `${name}${removed}`,
    );
  return plain.replace(base64, (packed) => {
    const unpacked = Buffer.from(packed, 'base64').toString('utf8');
    // Binary content is not encoded text.
    if (/[^\P{Cc}\t\n\r]|\ufffd/u.test(unpacked)) return packed;
    return redactText(unpacked) === unpacked ? packed : removed;
  });
}
