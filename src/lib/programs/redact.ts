const secrets: [form: RegExp, instead: string][] = [
  // JSON Web Tokens: service account tokens, and what identity providers issue.
  [/eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, '(token)'],
  // kubeadm's bootstrap tokens.
  [/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, '(token)'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, '$1 (credentials)'],
  [/(\/\/)[^/\s@:]*:[^/\s@]*@/g, '$1'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, '(key)'],
];

const secretWord = '(?:pass(?:word|wd|phrase)|username|token|secret|credential|api-?key|private-?key)';
const secretOption = new RegExp(`^-[^=]*${secretWord}[^=]*$`, 'i');
/** As in `--password=X`, `PASSWORD=X` and `--from-literal=password=X`. */
const secretAssignment = new RegExp(`^(.*?${secretWord}[^=]*=).`, 'is');
/** Helm's options for values of a chart, which are passwords as well as anything else. */
const setOption = /^--set(?:-[a-z]+)?$/;
const setAssignment = /^(--set(?:-[a-z]+)?=[^=]*=)/;

/** The arguments of a program as they may be shown: what may be secret is named, and its value is not. */
export function argumentsWithoutSecrets(args: readonly string[]): string[] {
  return args.map((argument, index) => {
    const option = args[index - 1] ?? '';
    if (secretOption.test(option)) return hidden;
    const name = setOption.test(option)
      ? /^[^=]*=/.exec(argument)?.[0]
      : (setAssignment.exec(argument) ?? secretAssignment.exec(argument))?.[1];
    return name === undefined ? withoutSecrets(argument) : `${withoutSecrets(name)}${hidden}`;
  });
}

const hidden = '(hidden)';

/** What another program has written, without what looks like credentials. */
export function withoutSecrets(text: string): string {
  return secrets.reduce((kept, [form, instead]) => kept.replace(form, instead), text);
}
