/** Figures with goals: what fell short is listed where the release tests, or the benches, end. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface Shortfall {
  name: string;
  goal: string;
  measured: string;
}

/** The file in which processes collect what fell short. */
const variable = 'TEST_SHORTFALLS';

/** Compares a figure with its goal. */
export function atMost(name: string, measured: number, goal: number, unit: string): void {
  const told = (value: number) => `${Number(value.toFixed(value < 10 ? 1 : 0))} ${unit}`;
  expected(name, measured <= goal, `at most ${told(goal)}`, told(measured));
}

/** Notes whether something is as it must be. */
export function expected(name: string, isMet: boolean, goal: string, measured: string): void {
  const file = process.env[variable];
  if (isMet || file === undefined) return;
  const shortfall: Shortfall = { name, goal, measured };
  appendFileSync(file, `${JSON.stringify(shortfall)}\n`);
}

/** Collects what falls short from now on, also in processes that start later. @returns the function that prints the list */
export function collectShortfalls(): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'stellarctl-goals-'));
  const file = path.join(folder, 'shortfalls');
  appendFileSync(file, '');
  process.env[variable] = file;
  return () => {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    rmSync(folder, { recursive: true });
    console.log(lines.length === 0 ? '\nEvery goal was met.' : '\nShort of its goal:');
    for (const line of lines) {
      const { name, goal, measured } = JSON.parse(line) as Shortfall;
      console.log(`  ${name}: ${goal}; measured: ${measured}`);
    }
  };
}
