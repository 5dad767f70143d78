import { redactText } from '../engine/redact.ts';

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
    return name === undefined ? redactText(argument) : `${redactText(name)}${hidden}`;
  });
}

const hidden = '(hidden)';
