import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { command } from '../engine/command-line.ts';
import { StellarError } from '../engine/errors.ts';
import { outline } from '../engine/next-step.ts';
import { writePrivately } from './private-file.ts';

/** What a user has chosen once for all. No credentials: contexts are in the kubeconfig. */
export interface Settings {
  /** The context of the ITS that commands mean when none is given. */
  its?: string;
}

/** `$XDG_CONFIG_HOME/stellarctl/settings.json`, else under ~/.config. */
export function settingsFile(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CONFIG_HOME || path.join(homedir(), '.config');
  return path.join(base, 'stellarctl', 'settings.json');
}

/** @throws StellarError `file-error` for a file that cannot be understood; one that is missing is empty */
export async function readSettings(file = settingsFile()): Promise<Settings> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new StellarError('file-error', `The settings ${file} cannot be read: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Settings;
  } catch {
    // Handled below.
  }
  throw new StellarError('file-error', `The settings ${file} are not JSON.`, {
    next: [outline(command`rm ${file} && stellarctl its use CONTEXT`, 'Choose again')],
  });
}

/** Replaces the file in one step, so that nobody ever reads half of it. */
export async function writeSettings(settings: Settings, file = settingsFile()): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true }).catch((error: Error) => {
    throw new StellarError('file-error', `The settings ${file} cannot be written: ${error.message}.`, { cause: error });
  });
  await writePrivately(file, `${JSON.stringify(settings, null, 2)}\n`);
}
