/** What stands for what was taken out. */
export const removed = '<removed>';

/** How names of fields, flags and variables end whose values nobody else should see. Names of objects are no secrets: `secretName`. */
const ending =
  '(?:token|(?<![a-z])pass|passw(?:or)?d|pwd|passphrase|(?<=_)secret|credentials?|(?:api|access|private|client)[-_]?key|client[-_]?secret|auth(?:orization)?|bearer|cookie|(?:client-key|client-certificate|certificate-authority)-data)';
export const isSecretName = new RegExp(`${ending}$|^secret$`, 'i');
export const isSecretFlag = new RegExp(`^--?[\\w.-]*${ending}$`, 'i');
/** In brackets, in quotes of all kinds, as a block of YAML, or as one word. */
const value = `\\[[^\\][\\n]*\\]|"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'|'[^']*'|\\\\+"[^"]*"|[|>][-+0-9]*[ \\t]*\\n(?:[ \\t]+[^\\n]*(?:\\n|$))+|[^\\s"',;{}[\\]]+`;
const flag = new RegExp(`((?<![\\w-])--?[\\w.-]*${ending}(?:=|\\s+))(?:${value})`, 'gi');
/** Of YAML, JSON, JSON in JSON, and `NAME=VALUE`. */
const field = new RegExp(
  `((?<![\\w.-])[\\w.-]*${ending}\\\\*["']?[ \\t]*(?:=>|:=|[:=])(?:[ \\t]*\\n)?[ \\t]*)(${value})`,
  'gi',
);
/** `name: DB_PASSWORD, value: …`, as containers have their variables, in YAML, JSON and JSON in JSON. */
const variable = new RegExp(
  `(name\\\\*["']?:[ \\t]*\\\\*["']?[\\w.-]*(?:${ending})[\\w.-]*\\\\*["']?,?\\s*\\\\*["']?value\\\\*["']?:[ \\t]*)(?:${value})`,
  'gi',
);

/** What is a secret by its form, wherever it is. */
const forms: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  // The beginning may have been cut off with the lines before.
  /(?<![A-Za-z0-9+/=]\r?\n)(?:^[A-Za-z0-9+/=]+\r?\n)*^-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/gm,
  // JSON Web Tokens, whole and cut, plain and in base64.
  /\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){0,2}/g,
  /ZXlK[A-Za-z0-9+/_-]{20,}={0,2}/g,
  // Bootstrap tokens of kubeadm, tokens of GitHub, GitLab and Slack, access keys of AWS.
  /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-)[A-Za-z0-9_-]{16,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
];
const authorization = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi;
/** Headers that go on to the end of the line: several cookies, and other schemes than those above. */
const header =
  /\b((?:(?:set-)?cookie|authorization(?=\W{1,6}(?:token|(?:api-?|genie)?key|digest|negotiate|aws4)\b))\\*["']?\s*[:=]\s*\[?\\*["']?)[^\n"'\]\\]+/gi;
/** Of an address, user and password. */
const userOfUrl = /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/)[^\s/"'?#]*@/gi;
/** `curl -u NAME:PASSWORD` */
const userFlag = /((?<![\w-])(?:-u|--(?:proxy-)?user)[=\s]+["']?)[^\s:"'/]+:[^\s"']+/g;
/** Long enough to hold one of the others. */
const base64 = /[A-Za-z0-9+/_-]{24,}={0,2}/g;

/** As in `refused the token: expired`. */
const isProse = (name: string, value: string, before: string): boolean =>
  /^[a-z]+[.:)]?$/.test(value) && /\w: $/.test(name) && /^[a-z] $/i.test(before);

/** Takes out of a text what looks like a token, a password or a private key, also where it is packed in base64. */
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
    // What is no text inside was packed by nobody.
    if (/[^\P{Cc}\t\n\r]|\ufffd/u.test(unpacked)) return packed;
    return redactText(unpacked) === unpacked ? packed : removed;
  });
}
