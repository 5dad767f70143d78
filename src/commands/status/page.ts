import { type DoctorInput, examineInstallation } from '../../lib/doctor/doctor.ts';
import { redact } from '../../lib/doctor/report-contents.ts';
import { readInstallation, wdsesIn } from '../../lib/installation/installation.ts';
import { describeInstallation } from '../../lib/installation/status.ts';
import { readVersions } from '../../lib/installation/versions.ts';
import { ifSeen, tryRead, whyUnseen } from '../../lib/kube/access.ts';
import type { Wds } from '../../lib/spaces/choose/open-wds.ts';
import { listPolicies } from '../../lib/workloads/policy/policy-list.ts';
import { symbolOfDelivery } from '../common/lines.ts';
import { describeExamined } from '../doctor/show.ts';
import { deliveryCell, doneOfAll, worstOf } from '../policy/cells.ts';
import { oneLine } from '../terminal/clean.ts';
import type { Style } from '../terminal/style.ts';
import { describeVersions } from '../version/version-text.ts';
import { describeStatus } from './status-text.ts';

/** Its policy lets a browser load nothing, and run nothing. */
const head = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>KubeStellar</title>
<style>
:root { color-scheme: light dark; --ok: light-dark(#1a7f37, #3fb950); --bad: light-dark(#cf222e, #f85149); --wait: light-dark(#9a6700, #d29922); --line: light-dark(#d0d7de, #3d444d); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; background: light-dark(#fff, #0d1117); color: light-dark(#1f2328, #e6edf3); }
h1 { font-size: 1.5rem; margin: 0; }
h2 { border-bottom: 1px solid var(--line); font-size: 1.1rem; margin: 2rem 0 .75rem; }
p, table { font: 13px/1.5 ui-monospace, monospace; }
p { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
div { overflow-x: auto; }
table { border-collapse: collapse; }
td { border: 1px solid var(--line); padding: .25rem .75rem; vertical-align: top; white-space: nowrap; }
td:last-child { min-width: 20rem; white-space: normal; }
tr:first-child { font-weight: 600; }
b { color: var(--wait); } b.ok { color: var(--ok); } b.bad { color: var(--bad); }
</style>`;

/**
 * A page about an installation for a team, in one file that needs nothing from elsewhere. What `report` redacts is redacted.
 * @param client version of stellarctl @param style without colours
 */
export async function statusPage(
  input: DoctorInput,
  client: string,
  style: Style,
): Promise<string> {
  const installation = await readInstallation(input);
  const [status, examined, policies] = await Promise.all([
    describeInstallation(installation, input),
    examineInstallation(installation, input),
    Promise.all(wdsesIn(installation).map((wds) => policiesOf(wds, style))),
  ]);
  const versions = await readVersions(input, [], status);
  const sections = [
    ['Clusters', block(describeStatus(status, style))],
    ...policies,
    ['Findings', block(describeExamined(examined, style, 'sections'))],
    ['Versions', block(describeVersions(client, versions, style))],
  ];
  const title = `<h1>KubeStellar${status.hosting ? ` on ${htmlOf(status.hosting.name)}` : ''}</h1>`;
  const body = sections.map(([heading = '', part]) => `<h2>${htmlOf(heading)}</h2>\n${part}`);
  return [head, title, block([new Date().toISOString()]), ...body].join('\n');
}

/** The policies of a WDS by WEC, with the stage that blocks. */
async function policiesOf(wds: Wds, style: Style) {
  const heading = `Policies of ${wds.name}`;
  const read = await tryRead(() => listPolicies(wds));
  const { view, deliveries } = ifSeen(read) ?? {};
  if (view === undefined) return [heading, block([`? ${whyUnseen(read)}`])];
  const wecs = [...new Set(view.flatMap((policy) => policy.wecs))].sort();
  const rows = view.map(({ name, state, why }) => [
    name,
    ...wecs.map((wec) => {
      const there = (deliveries?.get(name) ?? []).filter((each) => each.wec === wec);
      const worst = worstOf(there);
      return worst
        ? `${symbolOfDelivery(worst, style)} ${deliveryCell(worst)} (${doneOfAll(there)})`
        : '';
    }),
    why === null ? '' : `${state === 'failed' ? style.bad : style.dot} ${why}`,
  ]);
  const lines = [['Policy', ...wecs, 'State'], ...rows].map(
    (cells) => `<tr>${cells.map((cell) => `<td>${htmlOf(cell)}`).join('')}`,
  );
  return [heading, `<div><table>\n${lines.join('\n')}\n</table></div>`];
}

/** Lines that break with their indent. */
const block = (lines: readonly string[]) =>
  lines
    .map((line) => `<p style="margin-left:${line.search(/\S/)}ch">${htmlOf(line.trimStart())}`)
    .join('\n');

/** Text of a cluster as HTML, with its symbols in colours. */
export const htmlOf = (line: string) =>
  oneLine(String(redact(line)))
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[✓✗•]|(?<=^ *)!/g, (symbol) => {
      const kind = { '✓': 'ok', '✗': 'bad' }[symbol];
      return `<b class="${kind ?? 'wait'}">${symbol}</b>`;
    });
