import type { Finding } from '../lib/doctor/check.ts';
import { hintOf } from '../lib/engine/next-step.ts';
import type { Style } from '../lib/terminal/style.ts';

/** Findings as lines for people: a statement each, below it what is wrong and what to type; last how many there are of each kind. */
export function describeFindings(shown: readonly Finding[], all: readonly Finding[], style: Style): string[] {
  return [...shown.flatMap((finding) => linesOf(finding, style)), summary(all)];
}

function linesOf(finding: Finding, style: Style): string[] {
  const symbols: Record<Finding['status'], string> = {
    pass: style.ok,
    warn: '!',
    fail: style.bad,
    skipped: style.faint('-'),
  };
  const line = `${symbols[finding.status]} ${finding.title}`;
  if (finding.status === 'pass')
    return [finding.found === undefined ? line : `${line}   ${style.faint(finding.found)}`];
  const { message, next } = finding.problem;
  if (finding.status === 'skipped') return [`${line}   ${style.faint(`not looked at: ${message}`)}`];
  return [line, ...[message, hintOf(next) ?? []].flat().map((text) => `    ${text}`)];
}

function summary(all: readonly Finding[]): string {
  const count = (status: Finding['status']) => all.filter((finding) => finding.status === status).length;
  const [failed, warned] = [count('fail'), count('warn')];
  if (failed === 0 && warned === 0) return 'Nothing is missing.';
  const parts = [failed === 0 ? [] : [`${failed} failed`], warned === 0 ? [] : [`${warned} to look at`]].flat();
  return `${parts.join(', ')}, of ${all.length} checks.`;
}
