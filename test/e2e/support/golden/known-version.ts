import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Known } from './normalise.ts';

const root = path.resolve(import.meta.dirname, '..', '..', '..', '..');
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));

/** The version of stellarctl, where `version` prints it: programs of a bed may have the same. */
export const knownVersion: readonly Known[] = ['stellarctl   V', 'client: V', '"client": "V"'].map(
  (text) => ({ text: text.replace('V', version), as: text.replace('V', '<version>') }),
);
