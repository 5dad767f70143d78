import { type ErrorCode, StellarError } from '../../core/errors.ts';
import { advice, command, partial } from '../../core/next-step.ts';

/** helm's messages for known causes of failure (helm 3 and 4: pkg/storage/driver/driver.go, pkg/action/{install,upgrade}.go). */
const codes: [output: RegExp, code: ErrorCode][] = [
  [/ is forbidden: User /, 'forbidden'],
  [
    /release: already exists|cannot re-?use a name that is still in use|another operation \(.+\) is in progress/,
    'release-pending',
  ],
];

/** Gives a failure of helm the error code of its cause, if its output shows a known one. */
export function withCode(failure: StellarError, stderr: string): StellarError {
  const [, code] = codes.find(([output]) => output.test(stderr)) ?? [];
  if (code === undefined) return failure;
  const next = code === 'release-pending' ? [advice('When it has ended, rerun the command')] : [];
  return new StellarError(code, failure.message, ...next).with({ details: failure.details });
}

/** The error for a chart that cannot be fetched, with remedies. @param stderr helm's error output */
export function chartMissing(
  failure: StellarError,
  stderr: string,
  chart: string,
  version: string,
): StellarError {
  return new StellarError(
    'chart-unusable',
    `The chart ${chart} cannot be fetched: ${failure.message}`,
    ...nextAfter(stderr, chart, version),
  ).with({ details: failure.details, cause: failure });
}

function nextAfter(output: string, chart: string, version: string) {
  if (/\b(401|403|denied|unauthorized|forbidden|error getting credentials)\b/i.test(output)) {
    return [
      partial(
        'helm registry logout HOST',
        'Old or broken credentials in ~/.docker/config.json are a known cause; the chart itself needs none',
      ),
    ];
  }
  if (/(?<!\brepo \S+ )not found|manifest unknown|no chart/i.test(output))
    return [
      advice('See which versions there are: https://github.com/kubestellar/kubestellar/releases'),
    ];
  return [
    partial(command`helm pull ${chart} --version ${version}`, 'On a machine that reaches it'),
    partial('stellarctl init --chart FILE', 'Then here'),
  ];
}
