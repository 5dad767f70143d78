/** The placeholder for removed text. */
export const removed = '<removed>';

/** The endings of names of fields, flags and variables whose values are secret. Names of objects are not secret: `secretName`. */
const secretEnding =
  '(?:(?:token|pass(?:word|wd|phrase|code)?|pwd|secret|credential|cred|(?:access|api|auth|client|encryption|private|secret|signing|ssh)[-_]?key|(?:tls|ca)\\.key|auth(?:orization)?|bearer|cookie|session[-_]?id)s?|(?:client-key|client-certificate|certificate-authority)-data)';
export const isSecretName = new RegExp(`${secretEnding}$`, 'i');
export const isSecretFlag = new RegExp(
  `^--?(?:[\\w.-]*(?:username|${secretEnding})|key|user|dsn|from-literal)$`,
  'i',
);

/** A value in brackets or braces, in quotes of any kind, as a YAML block, or as one word. */
const value = `\\[[^\\][\\n]*\\]|\\{[^{}\\n]*\\}|"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'|\\\\+"[^"]*"|[|>][-+0-9]*[ \\t]*\\n(?:[ \\t]+[^\\n]*(?:\\n|$))+|[^\\s"',;{}[\\]]+`;
/** What is before a value: a field of YAML, JSON or JSON in JSON, or `NAME=`; a flag, in a list too; a variable in a list. */
const before = `(?:${[
  `[\\w.-]*${secretEnding}\\\\*["']?[ \\t]*(?:=>|:=|[:=])(?:[ \\t]*\\n)?[ \\t]*`,
  '(?:-[pu]|--(?:key|user|dsn|from-literal))[ \\t=]+',
  `--?[\\w.-]*${secretEnding}\\\\*["']?(?:,?[ \\t]+|,|\\n[ \\t]*-[ \\t]+)(?!["'\\\\]*-)`,
  `name\\W{1,9}[\\w.-]*${secretEnding}\\W{1,99}value\\\\*["']?:[ \\t]*`,
].join('|')})`;
/** What looks like a value may be the name of the next one: `-p token: …`. */
const field = new RegExp(`((?<![\\w.-])${before})(${before}*(?:${value}))`, 'gi');
/** The credentials of a kubeconfig in YAML, with the arguments and variables of programs. */
const users = /^([ \t]*)users:[ \t]*\n(?:\1[ \t-].*(?:\n|$))+/gm;

/** Secrets that are recognized by their form anywhere: private keys, JSON Web Tokens, kubeadm's bootstrap tokens, and those of OpenShift, EKS and Google. */
const forms =
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)|\beyJ[\w-]{10,}(?:\.[\w-]*){0,2}|\b[a-z0-9]{6}\.[a-z0-9]{16}\b|\b(?:sha256~|k8s-aws-v1\.|ya29\.)[\w.-]{16,}/g;
const authorization = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi;
/** Headers whose value extends to the end of the line: several cookies, and schemes other than the ones above. */
const header =
  /\b((?:cookie|authorization(?!\W{1,6}(?:bearer|basic)\b))\\*["']?\s*[:=]\s*\[?\\*["']?)[^\n"'\]\\]+/gi;
/** User and password in a URL. */
const userOfUrl =
  /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/)(?:[^\s/"'?#:@]*:(?!\d{1,5}[/?#])[^\s"']{0,200}|[^\s/"'?#]*)@/gi;
/** The same in the name of a data source: `user:password@tcp(host)/name`. */
const userOfSource = /(?<![\w.-])[\w.-]+:[^\s@'"]{1,200}@(?=[a-z]+\()/gi;

/** Prose such as `refused the token: expired`, and the name of a Secret in a log: `secret="namespace/name"`. */
const isHarmless = (name: string, value: string, before: string) =>
  (/^[a-z]+[.:)]?$/.test(value) && /\w: $/.test(name) && /^[a-z] $/i.test(before)) ||
  (/^secret\W/i.test(name) && /^["']?[a-z0-9.-]+\/[a-z0-9.-]+["']?$/.test(value));

/** Removes from a text what looks like a token, a password or a private key, also inside base64. */
export function redactText(text: string): string {
  return text
    .replace(users, `$1users: ${removed}\n`)
    .replace(forms, removed)
    .replace(authorization, `$1 ${removed}`)
    .replace(header, `$1${removed}`)
    .replace(userOfUrl, '$1')
    .replace(userOfSource, '')
    .replace(field, (whole, name: string, value: string, at: number, all: string) =>
      isHarmless(name, value, all.slice(Math.max(0, at - 2), at)) ? whole : `${name}${removed}`,
    )
    .replace(/[A-Za-z0-9+/_-]{24,}={0,2}/g, (packed) => {
      const unpacked = Buffer.from(packed, 'base64').toString('utf8');
      // Base64 that is long enough to contain one of these. Binary content is not encoded text.
      if (/[^\P{Cc}\t\n\r]|\ufffd/u.test(unpacked)) return packed;
      return redactText(unpacked) === unpacked ? packed : removed;
    });
}
