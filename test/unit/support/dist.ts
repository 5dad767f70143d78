/** For unit tests that start the program as it is shipped: builds it where no run has done so. */
import { createRequire } from 'node:module';
import { root } from '../../pages.ts';
import { isByItself } from './environment.ts';

const { ensureDist } = createRequire(import.meta.url)('../../../scripts/dev/dist.cjs');
if (isByItself) await ensureDist(root, process.execPath, process.env);
