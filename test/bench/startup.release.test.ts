import { it } from 'node:test';
import { benchStartup } from './startup.ts';

it('the start of help and completion', () => benchStartup());
