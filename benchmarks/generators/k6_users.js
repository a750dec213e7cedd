// The same users as locust_users.py and load/journeys.py, for k6: what benchmarks/load.py compares the engine with.
// USERS, SECONDS, THINK (seconds: a mean, or LOW,HIGH), CHECK, RESULT; MIX and TOKEN for the runbook's journeys.

import http from 'k6/http';
import ws from 'k6/ws';
import { check, sleep } from 'k6';

const think = (__ENV.THINK || '0').split(',').map(Number);
const checked = __ENV.CHECK === 'yes';

export const options = {
  discardResponseBodies: !checked,
  scenarios: {
    users: { executor: 'constant-vus', vus: Number(__ENV.USERS), duration: `${__ENV.SECONDS}s`, gracefulStop: '5s' },
  },
  summaryTrendStats: ['min', 'med', 'p(95)', 'p(99)', 'max', 'count'],
};

const signed = { headers: { Authorization: `Bearer ${__ENV.TOKEN}` } };
const posted = { headers: { Authorization: `Bearer ${__ENV.TOKEN}`, 'Content-Type': 'application/json' } };
const science = [
  ['/predict/cj/v1', [
    { composition: 'C3H6N6O6', density: 1.8 },
    { composition: 'C7H5N3O6', density: 1.65 },
    { composition: 'C4H8N8O8', density: 1.91 },
  ]],
  ['/empirical/v1', [
    { smiles: 'CCO', property: 'boiling_point' },
    { smiles: 'CC(C)=O', property: 'boiling_point' },
    { smiles: 'Cc1ccccc1', property: 'boiling_point' },
  ]],
  ['/xtb/v1', [{ molecule: 'H2O', method: 'GFN2-xTB', properties: ['energy', 'forces'] }]],
  ['/psi4/v1', [{ geometry: 'H2O', method: 'HF', basis: 'cc-pVDZ' }]],
];
const plain = {
  health: [['/health'], ['/version'], ['/ready']],
  auth: [
    ['/api/auth/google/url'], ['/api/auth/github/url'], ['/api/auth/microsoft/url'], ['/api/user/profile', signed],
  ],
  data: [['/api/user/history', signed], ['/api/user/settings', signed], ['/api/public/stats']],
};
let turn = Math.floor(Math.random() * 60);

let isFirst = true;

export default function () {
  if (isFirst) pause(); // else all would begin in step
  isFirst = false;
  if (__ENV.MIX) journey();
  else {
    const answer = http.get(__ENV.URL);
    if (checked) check(answer, { right: (it) => it.status === 200 && it.json('status') === 'healthy' });
  }
  pause();
}

function pause() {
  if (think.length === 2) sleep(think[0] + Math.random() * (think[1] - think[0]));
  else if (think[0]) sleep(-Math.log(1 - Math.random()) * think[0]);
}

function journey() {
  const drawn = Math.random();
  turn += 1;
  if (drawn >= 0.9) talk();
  else if (drawn >= 0.7) compute();
  else {
    const asks = plain[drawn < 0.3 ? 'health' : drawn < 0.5 ? 'auth' : 'data'];
    const [path, options] = asks[turn % asks.length];
    const answer = http.get(__ENV.URL + path, options);
    check(answer, { right: (it) => it.status === 200 && it.json() !== null });
  }
}

function compute() {
  const [path, bodies] = science[turn % science.length];
  const body = bodies[Math.floor(turn / science.length) % bodies.length];
  const answer = http.post(__ENV.URL + path, JSON.stringify(body), posted);
  check(answer, { taken: (it) => (it.status === 200 || it.status === 202) && it.json() !== null });
  if (answer.status !== 202) return;
  const job = `${__ENV.URL}/api/jobs/${answer.json('job_id')}`;
  for (let looks = 0; looks < 240; looks += 1) {
    sleep(0.25);
    const seen = http.get(job, { ...signed, tags: { name: '/api/jobs/{id}' } });
    if (!check(seen, { known: (it) => it.status === 200 })) return;
    if (seen.json('status') === 'completed' || seen.json('status') === 'failed') return;
  }
}

function talk() {
  const said = `k6 ${turn}`;
  ws.connect(`${__ENV.URL.replace('http', 'ws')}/ws`, {}, (socket) => {
    socket.on('open', () => socket.send(said));
    socket.on('message', (heard) => {
      check(heard, { same: (it) => it === said });
      socket.close();
    });
    socket.setTimeout(() => socket.close(), 15000);
  });
}

export function handleSummary(data) {
  return { [__ENV.RESULT]: JSON.stringify(data.metrics) };
}
