import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../lib/core/deadline.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { type OutputFormat, outputFormats } from '../terminal/io.ts';

/** The options that mean the same in every command that has them. */
export interface SessionOptions {
  output: OutputFormat;
  /** Milliseconds. */
  timeout: number;
  kubeconfig?: string;
  color: 'auto' | 'always' | 'never';
  quiet?: boolean;
  verbose?: boolean;
  its?: string;
  wds?: string;
  hostingContext?: string;
  wecKubeconfig?: string;
  dryRun?: boolean;
  /** Of a command that asks before it writes. */
  yes?: boolean;
  allowErrors?: boolean;
  /** `--no-headers` of lists */
  headers?: boolean;
  /** Whether `--timeout` is given. */
  hasTimeout?: boolean;
  /** Whether a current context that is a hosting cluster may precede the one that the kubeconfig notes. */
  mayGuess?: boolean;
}

/** Options of every command. @param timeout the default of `--timeout`, which each command has for itself */
export const globalOptions = (
  timeout?: string,
  formats: readonly OutputFormat[] = outputFormats,
) => [
  new Option('-o, --output <format>', 'what to print')
    .choices(formats)
    .default('table', JSON.stringify(formats[0])),
  new Option(
    '--timeout <duration>',
    'deadline for the whole command, whose help shows the default; 0 checks once',
  )
    .argParser(timeoutMs)
    .default(timeout && parseDuration(timeout), timeout),
  new Option('--kubeconfig <file>', 'this kubeconfig instead of KUBECONFIG or ~/.kube/config'),
  new Option('--color <when>', 'colour: auto, always or never')
    .choices(['auto', 'always', 'never'])
    .default('auto'),
  new Option('-q, --quiet', 'print results and errors only'),
  new Option('-v, --verbose', 'print every request, and the causes of errors'),
];

/** Rejects options that mean something only with another one. @param given the values, by option @throws StellarError `usage` */
export function refuseWithout(needed: string, given: Readonly<Record<string, unknown>>): void {
  const option = Object.keys(given).find((each) => given[each] !== undefined);
  if (option !== undefined) throw new StellarError('usage', `${option} requires ${needed}.`);
}

/** Parses a duration option. @returns milliseconds */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Give a duration as 90s, 5m or 1h.');
  return ms;
}

/** No server answers within less: a shorter deadline is a mistake. */
function timeoutMs(text: string) {
  const ms = durationMs(text);
  if (ms > 0 && ms < 1000) throw new InvalidArgumentError('Give at least 1s, or 0 to check once.');
  return ms;
}

export const itsOption = () =>
  new Option(
    '--its <its>',
    'the ITS: a context, or its name (default: STELLARCTL_ITS, `its use`, the current context, or the only ITS)',
  );
/** Options that select the WDS and its ITS. */
export const wdsOptions = () => [
  new Option(
    '--wds <wds>',
    'the WDS, by its name or a context (default: STELLARCTL_WDS, `wds use`, the WDS of the current context, or the only WDS)',
  ),
  new Option(
    '--its <its>',
    'the ITS of the WDS, by its name or a context, if the hosting cluster does not show it',
  ),
  hostingContextOption(),
];
export const hostingContextOption = () =>
  new Option(
    '--hosting-context <context>',
    'the context of the hosting cluster (default: STELLARCTL_HOSTING_CONTEXT, what `init` noted, the current context)',
  );
export const wecKubeconfigOption = () =>
  new Option(
    '--wec-kubeconfig <file>',
    'the kubeconfig with the contexts of the WECs, if it is another one',
  );
/** The image of a local cluster's nodes. */
export const nodeImageOption = () =>
  new Option(
    '--image <image>',
    'with --provider: the image of its nodes, or its version of Kubernetes, as 1.32.13 (default: one on which ITSes run)',
  );
/** @param about what is taken from it */
export const imageRegistryOption = (about: string) =>
  new Option('--image-registry <registry>', about).argParser(registryName);

/** Of a space: the hooks decide. */
export const registryOfSpace =
  'the registry of its images (default: that of init --image-registry)';

function registryName(text: string) {
  if (!/^[A-Za-z0-9][\w.:-]*(?:\/[\w.-]+)*$/.test(text))
    throw new InvalidArgumentError('Give HOST[:PORT][/PATH], without https://.');
  return text;
}

export const dryRunOption = () =>
  new Option('--dry-run', 'show what would be written, and write nothing');
export const yesOption = (about = 'skip the confirmation') => new Option('-y, --yes', about);
/** The limit of what `--yes` covers. */
export const maxRemovedOption = (
  about = 'with --yes: so many WECs may lose objects (default: 1, or 10 % of those it sends to)',
) => new Option('--max-removed <number>', about).argParser(wholeNumber(0));
/** For commands that refuse what takes workloads away. */
export const maxRemovedByLabels = () =>
  maxRemovedOption(
    'by their labels, so many WECs may lose objects, also where that is unknown (default: none)',
  );
/** What `--yes` alone does not cover. */
export const allowErrorsOption = () =>
  new Option('--allow-errors', 'with --yes: even if the preview shows an error (✗)');
export const selectorOption = () =>
  new Option('-l, --selector <selector>', 'WECs with these labels, as for kubectl');
/** Options that select WECs without naming them. */
export const selectionOptions = (all = 'all WECs of the ITS') => [
  selectorOption(),
  new Option('--allow-none', 'with -l: succeed if no WEC has these labels'),
  new Option('--all', all),
];

/** The parser of an option's number. */
export const wholeNumber = (least: number) => (text: string) => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least)
    throw new InvalidArgumentError(`Give a whole number, ${least} or more.`);
  return number;
};

/** An option that can be given several times. */
export const repeatable = (flags: string, about: string) =>
  new Option(flags, `${about} (repeatable)`).argParser(collect);

/** The same for names, which can also be separated by commas. */
export const listOption = (flags: string, about: string) =>
  new Option(flags, `${about} (repeatable, or separated by commas)`).argParser(collectNames);

const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

/** An unset variable of a script names nothing: that is not the same as no option. */
function collectNames(value: string, previous: string[] | undefined) {
  const names = value.split(',').filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('It is empty.');
  return [...(previous ?? []), ...names];
}
