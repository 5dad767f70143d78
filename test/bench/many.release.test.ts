import { it } from 'node:test';
import { benchDoctorMany } from './doctor-many.ts';
import { benchMany } from './many.ts';

for (const count of process.env.MANY ? [Number(process.env.MANY)] : [60, 300]) {
  it(`the life of ${count} WECs`, () => benchMany(count));
  it(`doctor on ${count} WECs`, () => benchDoctorMany(count));
}
