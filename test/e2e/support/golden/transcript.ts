import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * A golden file is a transcript: what was typed, and what came of it.
 *
 *     # A comment.
 *     $ stellarctl wec list --its nowhere
 *     2| ✗ There is no context "nowhere" …
 *     exit 2
 *
 * `1|` is a line of stdout, `2|` of stderr, `t|` of a terminal, `its1|` a write that the audit log of the cluster its1 has. What is
 * typed is read from the file, and the rest is compared, or written with UPDATE_GOLDEN=1.
 */
export interface Step {
  /** A command (`$ …`), or an action on the clusters (`@ …`). */
  kind: '$' | '@';
  line: string;
  /** Everything up to the next step, without the line itself. */
  outcome: string;
}

const stepStart = /^(?:([$@]) (.*)|#.*|)$/;

interface Part {
  /** Comments and blank lines stay unchanged. */
  text: string;
  step?: Step;
}

function parse(text: string): Part[] {
  const parts: Part[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const match = stepStart.exec(line);
    const step = parts.at(-1)?.step;
    if (match === null) {
      assert.ok(step, `nothing was typed before: ${line}`);
      step.outcome += `${line}\n`;
    } else if (match[1] === undefined) parts.push({ text: line });
    else
      parts.push({
        text: line,
        step: { kind: match[1] as Step['kind'], line: match[2] ?? '', outcome: '' },
      });
  }
  return parts;
}

const isUpdate = process.env.UPDATE_GOLDEN === '1';

/**
 * Runs the steps of a transcript in order, and compares the outcomes.
 * @param perform returns the outcome of a step, in lines
 */
export async function replay(
  file: string,
  perform: (step: Step) => Promise<string>,
): Promise<void> {
  const parts = parse(await readFile(file, 'utf8'));
  const differences: { expected: string; actual: string }[] = [];
  for (const { text, step } of parts) {
    if (step === undefined) continue;
    const outcome = await perform(step);
    if (outcome !== step.outcome)
      differences.push({ expected: `${text}\n${step.outcome}`, actual: `${text}\n${outcome}` });
    step.outcome = outcome;
  }
  if (isUpdate) {
    const lines = parts.map(({ text, step }) => `${text}\n${step?.outcome ?? ''}`);
    return writeFile(file, lines.join(''));
  }
  const all = (side: 'expected' | 'actual') => differences.map((each) => each[side]).join('\n');
  assert.equal(
    all('actual'),
    all('expected'),
    `${differences.length} runs of ${path.basename(file)} differ`,
  );
}

/** A text as lines of a transcript, each with the mark of its stream. Control characters are made visible. */
export function marked(mark: string, text: string): string {
  if (text === '') return '';
  const lines = text.split('\n');
  const isWhole = lines.at(-1) === '';
  const shown = (isWhole ? lines.slice(0, -1) : lines).map((line) =>
    `${mark}| ${visible(line)}`.trimEnd(),
  );
  return [...shown, ...(isWhole ? [] : [`${mark}\\ no newline at the end`]), ''].join('\n');
}

/** Includes trailing spaces, which editors remove. */
function visible(line: string) {
  return line
    .replaceAll('\u001b', '␛')
    .replaceAll('\r', '␍')
    .replace(/ +$/, (spaces) => '␠'.repeat(spaces.length));
}
