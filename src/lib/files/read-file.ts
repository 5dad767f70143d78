import fs from 'node:fs';
import type promises from 'node:fs/promises';
import { promisify } from 'node:util';

/** As in node:fs/promises, the loading of which takes a tenth as long as the start of Node: every command reads files. */
export const readFile = promisify(fs.readFile) as typeof promises.readFile;
export const stat = promisify(fs.stat);
