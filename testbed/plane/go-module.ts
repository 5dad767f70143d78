import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { machineEnvironment } from './machine.ts';

const run = promisify(execFile);

/** The version (`v1.2.3`) in which a Go module requires another. */
export function requiredVersion(module: string, other: string): string {
  const text = readFileSync(join(module, 'go.mod'), 'utf8');
  const line = text.split('\n').find((each) => each.trim().startsWith(`${other} v`));
  if (!line) throw new Error(`${module} does not require ${other}`);
  return line.trim().split(' ')[1] ?? '';
}

/** The folder of a module that a Go module requires. */
export async function requiredFolder(module: string, other: string): Promise<string> {
  const { stdout } = await run('go', ['list', '-m', '-f', '{{.Dir}}', other], {
    cwd: module,
    env: machineEnvironment(),
  });
  return stdout.trim();
}
