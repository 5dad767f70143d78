import { command } from '../../engine/command-line.ts';
import { type ErrorCode, StellarError } from '../../engine/errors.ts';

/** What helm says where it is kept from its work (helm 3 and 4: pkg/storage/driver/driver.go, pkg/action/{install,upgrade}.go). */
const codes: [said: RegExp, code: ErrorCode][] = [
  [/ is forbidden: User /, 'forbidden'],
  [
    /release: already exists|cannot re-?use a name that is still in use|another operation \(.+\) is in progress/,
    'release-pending',
  ],
];

/** A failure of helm under the code of what kept it from its work, where it says so. */
export function withCode(failure: StellarError, stderr: string): StellarError {
  const [, code] = codes.find(([said]) => said.test(stderr)) ?? [];
  return code === undefined ? failure : new StellarError(code, failure.message, { details: failure.details });
}

/** What helps where a chart cannot be fetched. */
export function chartMissing(failure: StellarError, chart: string, version: string): StellarError {
  const said = [failure.message, ...failure.details].join('\n');
  const hint = /\b(401|403|denied|unauthorized|forbidden|error getting credentials)\b/i.test(said)
    ? 'Old or broken credentials in ~/.docker/config.json are a known cause; the chart itself needs none: helm registry logout HOST'
    : /\brepo \S+ not found/.test(said)
      ? "See which repositories helm knows: helm repo list    For a chart on this machine's disk: the path of its file or folder"
      : /not found|manifest unknown|no chart/i.test(said)
        ? 'See which versions there are: https://github.com/kubestellar/kubestellar/releases'
        : command`Where it can be reached: helm pull ${chart} --version ${version}    Then here: stellarctl init --chart FILE`;
  return new StellarError('chart-unusable', `The chart ${chart} cannot be fetched: ${failure.message}`, {
    details: failure.details,
    hint,
    cause: failure,
  });
}
