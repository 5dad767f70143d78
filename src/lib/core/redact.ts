/** The placeholder for removed text. */
export const removed = '<removed>';

/** Before `key`: others are public, or name something (`topologyKey`). */
const keyKinds =
  'access|account|admin|aes|api|app|auth|client|cookie|deploy|encrypt(?:ion)?|hmac|license|master|primary|private|rsa|secondary|secret|session|shared(?:[-_]?access)?|sign(?:ing)?|ssh|storage|subscription|webhook';
/** The endings of names of fields, flags and variables whose values are secret. Names of objects are not secret: `secretName`. */
const ending = `(?:(?:tokens?|(?<!by|com|sur|tres)pass|pass[-_]?(?:wor[dt]|wd|phrase|code)s?|pwd|(?<![a-z])pw|(?<!(?:pull|tls|ca|existing|kubeconfig|bootstrap)[-_]?)secrets?|credentials?|creds|(?:${keyKinds})[-_]?keys?|(?:tls|ca)\\.key|auth(?:orization)?|bearer|cookie|session[-_]?id|(?<![a-z])t?otp|mnemonic|connection[-_]?string|(?<![a-z])dsn|samlresponse)(?:[-_]?(?:\\d+|value|hash|raw|pem|base64|b64|old|new))?|(?:client-key|client-certificate|certificate-authority)-data)`;
export const isSecretName = new RegExp(`${ending}$`, 'i');
export const isSecretFlag = new RegExp(`^--?[\\w.-]*${ending}$`, 'i');
/** Environment variables whose values are shown, and what is written like one: X.509 names, and ids of credentials. */
const isHarmless =
  /^(?:cn|ou?|c|l|st|dc|(?:(?:pod|node|host|cluster|watch|operator|agent|wds|its|hub)_?)?(?:name|namespace|ip)|hostname|home|path|user|shell|lang|tz|term|kubeconfig|\w+_(?:service_host|service_port\w*|port)|(?:https?|no|all)_proxy|go(?:maxprocs|memlimit|debug|gc)|log_level|zone|region|jti|x509sha256)$/i;
const isSecretVariable = /token|secret|pass|pwd|credential|auth|key/i;
/** Whether the value of a variable is removed. @param isKnown that it is one: any other pair of name and value may be a claim */
export const hidesVariable = (name: string, isKnown: boolean): boolean =>
  !isHarmless.test(name) && (isKnown || isSecretVariable.test(name) || name === name.toUpperCase());

/** A value in brackets or braces, in quotes of any kind, as a YAML block, or as one word. */
const value = `\\[[^\\][\\n]*\\]|\\{[^{}\\n]*\\}|"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'|'[^']*'|\\\\+"[^"]*"|[|>][-+0-9]*[ \\t]*\\n(?:[ \\t]+[^\\n]*(?:\\n|$))+|[^\\s"',;{}[\\]]+`;
const flag = new RegExp(`((?<![\\w-])--?[\\w.-]*${ending}(?:=|\\s+))(?:${value})`, 'gi');
/** A field of YAML, JSON, JSON in JSON, XML, or `NAME=VALUE`. */
const field = new RegExp(
  `((?<![\\w.-])[\\w.-]*${ending}\\\\*["']?[ \\t]*(?:=>|:=|[:=>])(?:[ \\t]*\\n)?[ \\t]*)(${value})`,
  'gi',
);
/** `name: DB_PASSWORD, value: …`, the variables of containers, in YAML, JSON and JSON in JSON. */
const variable = new RegExp(
  `(name\\\\*["']?:[ \\t]*\\\\*["']?([\\w.-]+)\\\\*["']?,?\\s*\\\\*["']?value\\\\*["']?:[ \\t]*)(?:${value})`,
  'gi',
);
const assignment = new RegExp(`(?:(?<=\\\\n)|(?<![\\w.+/=-]))(([A-Z][A-Z0-9_]*)=)(?!=)(?:${value})`, 'g');
/** Words that a password follows without a sign between them: SQL, .netrc, Redis, and clients of databases. */
const wordBefore =
  /\b((?:identified\s{1,9}by|pass(?:word|wd|phrase)?|pwd)\s{1,9}(?=\\*["'])|login\s{1,9}\S{1,99}\s{1,9}password\s{1,9}|(?:requirepass|masterauth)\s{1,9}|(?:sshpass|mysql(?:dump|admin)?|redis-cli|mongo(?:sh|dump)?|login)\b[^\n]{0,200}?\s-[pa]\s?)(?:\\*"[^"\n]*"|'[^'\n]*'|[^\s"'<-]\S*)/gi;

/** Secrets that are recognized by their form anywhere. */
const forms: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  // The first lines may have been cut off, or the last ones as well.
  /(?<![A-Za-z0-9+/=\\])(?<![A-Za-z0-9+/=]\r?\n[ \t]{0,40})(?:\\+[nr])*(?:[A-Za-z0-9+/=]+(?:\r?\n|(?:\\+r)?\\+n)[ \t]{0,40})*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/g,
  /(?<!(?:-----|[A-Za-z0-9+/])\r?\n)(?:^[A-Za-z0-9+/]{64}\r?\n){2,}(?:^[A-Za-z0-9+/=]+$)?/gm,
  // JSON Web Tokens, whole and truncated, plain and in base64.
  /\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){0,2}/g,
  /ZXlK[A-Za-z0-9+/_-]{20,}={0,2}/g,
  // kubeadm bootstrap tokens, tokens with the prefix of who issued them, AWS access keys, hashes of passwords.
  /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g,
  /\b(?:gh[pousr]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]-|xapp-|npm_|hv[sbr]\.|[srp]k_(?:live|test)_|sk-|whsec_|dckr_[po]at_|pypi-AgE|rubygems_|glsa_|SG\.|hf_|GOCSPX-|AIza|ya29\.|shp[a-z]{2}_|do[opr]_v1_|lin_api_|sq0[a-z]{3}-|NRAK-|dapi|figd_|PMAK-|AKCp|AGE-SECRET-KEY-1|sha256~|k8s-aws-v1\.|tskey-)[A-Za-z0-9_.-]{16,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\$(?:apr1|2[abxy]|[156y]|argon2i?d?)\$[^\s:"']{8,}|\{S?SHA\d*\}[A-Za-z0-9+/=]{16,}/g,
  // USER:PASSWORD of Go's MySQL driver and of Oracle's.
  /(?<![^\s"'=])[^\s"'=@:]{1,64}:[^\s"']{1,200}@(?=(?:tcp|udp|unix)\()|(?<=\bjdbc:oracle:\w{3,5}:)[^\s@"']+(?=@)/g,
  /(?<=\bDigest username=)[^\n]+/gi,
  // The addresses of webhooks authorize whoever knows them.
  /(?<=https:\/\/(?:hooks\.(?:slack|zapier)\.com|discord(?:app)?\.com\/api|[\w-]{1,63}\.webhook\.office\.com|api\.telegram\.org)\/)[^\s"'<>]+/gi,
  // Signatures and keys in URLs.
  /(?<=[?&](?:sig|[\w-]{0,40}signature|code|key)=)[^&\s"'<>]+/gi,
];
const authorization = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi;
/** Headers whose value extends to the end of the line: several cookies, and schemes other than the ones above. */
const header =
  /\b((?:(?:set-)?cookie|authorization(?=\W{1,6}(?:token|(?:api-?|genie)?key|digest|negotiate|aws4)\b))\\*["']?\s*[:=]\s*\[?\\*["']?)[^\n"'\]\\]+/gi;
/** User and password in a URL. */
const userOfUrl =
  /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/)(?:[^\s/"'?#:@]*:(?!\d{1,5}[/?#])[^\s"']{0,200}|[^\s/"'?#]*)@/gi;
/** `curl -u NAME:PASSWORD` */
const userFlag = /((?<![\w-])(?:-u|--(?:proxy-)?user)[=\s]+["']?)[^\s:"'/]+:[^\s"']+/g;
/** Long enough to contain one of the secrets above. */
const base64 = /[A-Za-z0-9+/_-]{24,}={0,2}/g;

/** JSON may write any letter as `\u0077`, also in names. */
const escapedLetter = /\\u00(2d|3\d|[46][1-9a-f]|[57][\da]|5f)/gi;

/** Prose such as `refused the token: expired`, and the name of a Secret in a log: `secret="namespace/name"`. */
const isShown = (name: string, value: string, before: string): boolean =>
  (/^[a-z]+[.:)]?$/.test(value) && /\w: $/.test(name) && /^[a-z] $/i.test(before)) ||
  (/^secret\W/i.test(name) && /^["']?[a-z0-9.-]+\/[a-z0-9.-]+["']?$/.test(value));

const hideVariable = (whole: string, before: string, name: string): string =>
  hidesVariable(name, false) ? `${before}${removed}` : whole;

/** Removes what a server repeats of the header with which a user authenticates. */
export const redactAuthorization = (text: string): string => text.replace(authorization, `$1 ${removed}`);

/** Removes from a text everything that looks like a token, a password or a private key, also inside base64. */
export function redactText(text: string): string {
  const unescaped = text.replace(escapedLetter, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  const plain = forms
    .reduce((rest, form) => rest.replace(form, removed), unescaped)
    .replace(authorization, `$1 ${removed}`)
    .replace(header, `$1${removed}`)
    .replace(userOfUrl, '$1')
    .replace(userFlag, `$1${removed}`)
    .replace(wordBefore, `$1${removed}`)
    .replace(variable, hideVariable)
    .replace(assignment, hideVariable)
    .replace(flag, `$1${removed}`)
    .replace(field, (whole, name: string, value: string, at: number, all: string) =>
      isShown(name, value, all.slice(Math.max(0, at - 2), at)) ? whole : `${name}${removed}`,
    );
  return plain.replace(base64, (packed) => {
    const unpacked = Buffer.from(packed, 'base64').toString('utf8');
    // Binary content is not encoded text.
    if (/[^\P{Cc}\t\n\r]|\ufffd/u.test(unpacked)) return packed;
    return redactText(unpacked) === unpacked ? packed : removed;
  });
}
