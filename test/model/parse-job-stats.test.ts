import t, { type Test } from 'tap';
import { parseJobStatsRequest } from '../../src/model/parse-job-stats.js';
import type { JobRange, JobStatsRequest } from '../../src/model/selection.js';
import { refusalOf } from './bad-request.js';

const NOW = 1_795_694_400;
const LIMITS = { jobsMax: 100, hostsMax: 1000 };

const JOB: JobRange = {
  id: 1,
  cluster: 'alex',
  hosts: ['a0101'],
  fromSec: NOW - 3600,
  toSec: NOW,
  isFixed: false,
  metrics: null,
  ids: null,
};

function parse(body: unknown): JobStatsRequest {
  return parseJobStatsRequest(JSON.stringify(body), NOW, LIMITS);
}

/** Jobs and the request around them; of a job only what is not as in {@link JOB} is expected. */
function check(
  t: Test,
  body: object,
  jobs: readonly Partial<JobRange>[],
  rest: Partial<JobStatsRequest> = {},
): void {
  const expected: JobStatsRequest = {
    jobs: jobs.map((job) => ({ ...JOB, ...job })),
    stats: ['avg', 'min', 'max'],
    byHost: false,
    archive: undefined,
    ...rest,
  };
  t.strictSame(parse(body), expected, JSON.stringify(body));
  t.strictSame(parse(body), expected, 'again');
}

function checkError(t: Test, body: object, message: string): void {
  t.equal(
    refusalOf(() => parse(body)),
    message,
  );
}

const job = { id: 1, cluster: 'alex', hosts: 'a0101', from: '-1h' };

t.test('jobs', (t) => {
  check(t, { jobs: [] }, []);
  check(t, { jobs: [job] }, [{}]);
  check(t, { jobs: [job, { ...job, id: '12_[3]' }] }, [{}, { id: '12_[3]' }]);
  check(t, { jobs: [{ ...job, hosts: ['a[01-02]', 'b1,a01', 'c1'] }] }, [
    { hosts: ['a01', 'a02', 'b1', 'c1'] },
  ]);
  check(t, { jobs: [{ ...job, metrics: ['flops_*', 'mem_bw'] }] }, [
    { metrics: ['flops_*', 'mem_bw'] },
  ]);
  check(t, { jobs: [{ ...job, metrics: 'mem_bw' }] }, [{ metrics: ['mem_bw'] }]);
  check(t, { jobs: [{ ...job, ids: '0-2' }] }, [{ ids: ['0', '1', '2'] }]);
  check(t, { jobs: [{ ...job, from: 60, to: 120 }] }, [{ fromSec: 60, toSec: 120, isFixed: true }]);
  check(t, { jobs: [{ ...job, from: NOW + 5 }] }, [{ fromSec: NOW + 5, toSec: NOW + 6 }]);
  t.end();
});

t.test('what all jobs share', (t) => {
  const shared = { cluster: 'fritz', metrics: ['a'], from: 60, to: 120 };
  const common = { cluster: 'fritz', metrics: ['a'], fromSec: 60, toSec: 120, isFixed: true };
  check(t, { jobs: [{ id: 1, hosts: 'a0101' }], ...shared }, [common]);
  check(t, { ...shared, jobs: [{ ...job, metrics: 'b', to: '-1m' }] }, [
    { metrics: ['b'], toSec: NOW - 60 },
  ]);
  check(t, { jobs: [{ id: 1, hosts: 'a0101', cluster: 'alex' }], from: '-1h' }, [{}]);
  check(t, { jobs: [job], stats: ['stddev', 'sum'] }, [{}], { stats: ['stddev', 'sum'] });
  check(t, { jobs: [job], stats: true }, [{}], { stats: ['count', 'avg', 'min', 'max'] });
  check(t, { jobs: [job], stats: [] }, [{}], { stats: [] });
  check(t, { jobs: [job], 'by-host': true, archive: true }, [{}], { byHost: true, archive: true });
  t.end();
});

t.test('wrong requests', (t) => {
  const wanted = 'an object such as {"id": 1, "hosts": "a[0100-0103]"}';
  checkError(t, {}, `jobs is missing; give a list of jobs, each ${wanted}`);
  checkError(t, { jobs: job }, `jobs must be a list of jobs, not ${JSON.stringify(job)}`);
  checkError(t, { jobs: [job, 7] }, `jobs[1] must be ${wanted}, not 7`);
  checkError(
    t,
    { jobs: [job], host: 'a' },
    'unknown key "host"; known are jobs, cluster, metrics, from, to, stats, by-host, archive',
  );
  checkError(t, { jobs: [job], hosts: 'a' }, 'unknown key "hosts"; it belongs into each of "jobs"');
  checkError(t, { jobs: [job], by_host: true }, 'unknown key "by_host"; did you mean "by-host"?');
  checkError(
    t,
    { jobs: [job], cluster: 'a*' },
    'cluster must be the name of a cluster, no pattern, not "a*"',
  );
  checkError(
    t,
    { jobs: [job], from: 'then', cluster: 1 },
    'from must be a time: Unix seconds, RFC 3339 such as "2026-11-26T12:00:00Z", "now", or before now such as "-6h" or "now-1h30m", not "then"',
  );
  checkError(t, { jobs: [job], 'by-host': 'yes' }, 'by-host must be true or false, not "yes"');
  const stats =
    'a statistic (count, sum, avg, min, max, stddev, integral), a list of them, or true';
  checkError(t, { jobs: [job], stats: ['avg', 'p95'] }, `stats[1] must be ${stats}, not "p95"`);
  checkError(t, { jobs: [job], archive: null }, 'archive must be true or false, not null');
  checkError(
    t,
    { jobs: [job], metrics: [] },
    'metrics must be the name of a metric, a pattern such as "flops_*", or a list of them, not []',
  );
  t.end();
});

t.test('wrong jobs', (t) => {
  const checkJob = (source: object, message: string): void => {
    checkError(t, { jobs: [job, { ...job, ...source }] }, message);
  };
  checkJob({ stats: [] }, 'jobs[1]: unknown key "stats"; it belongs beside "jobs"');
  checkJob(
    { name: 1 },
    'jobs[1]: unknown key "name"; known are id, cluster, hosts, from, to, metrics, ids',
  );
  const id = "the job's id: text, or a whole number up to 2^53";
  checkJob({ id: undefined }, `jobs[1].id is missing; give ${id}`);
  checkJob({ id: 1.5 }, `jobs[1].id must be ${id}, not 1.5`);
  checkJob({ id: null }, `jobs[1].id must be ${id}, not null`);
  checkJob(
    { cluster: undefined },
    'jobs[1].cluster is missing; give the name of a cluster, here or beside "jobs" for all',
  );
  checkJob({ cluster: ['alex'] }, 'jobs[1].cluster must be the name of a cluster, not ["alex"]');
  const hosts = 'a host, a host list such as "a[0100-0185]", or a list of them';
  checkJob({ hosts: undefined }, `jobs[1].hosts is missing; give ${hosts}`);
  checkJob({ hosts: [] }, `jobs[1].hosts must be ${hosts}, not []`);
  checkJob({ hosts: ['a', ''] }, `jobs[1].hosts[1] must be ${hosts}, not ""`);
  checkJob(
    { hosts: { 'sub-cluster': 'a' } },
    `jobs[1].hosts must be ${hosts}, not {"sub-cluster":"a"}`,
  );
  checkJob(
    { hosts: ['a', 'b*'] },
    'jobs[1].hosts[1]: host list "b*": "b*" is a pattern; name the hosts, such as a[0100-0185]',
  );
  checkJob({ hosts: 'a]' }, 'jobs[1].hosts: host list "a]", character 2: no bracket is open');
  checkJob(
    { from: undefined },
    'jobs[1].from is missing; give Unix seconds, RFC 3339, or before now such as "-6h"',
  );
  checkJob(
    { to: null },
    'jobs[1].to must be a time: Unix seconds, RFC 3339 such as "2026-11-26T12:00:00Z", "now", or before now such as "-6h" or "now-1h30m", not null',
  );
  checkJob({ from: 120, to: 60 }, 'jobs[1].from must be before jobs[1].to: 120 is 120, 60 is 60');
  checkError(
    t,
    { from: 120, jobs: [{ ...job, from: undefined, to: 60 }] },
    'from must be before jobs[0].to: 120 is 120, 60 is 60',
  );
  t.end();
});

t.test('limits', (t) => {
  const wide = { ...job, hosts: 'a[1-10]', ids: '0-255' };
  const most = Array(LIMITS.jobsMax).fill(wide);
  t.equal(parse({ jobs: most }).jobs.length, 100);
  checkError(
    t,
    { jobs: [...most, job] },
    'jobs: 101 jobs: the limit jobs-max is 100; send several requests',
  );
  const hosts = 'more than 1000 hosts in one request: the limit hosts-max is 1000; ask for less';
  checkError(
    t,
    { jobs: [...most.slice(1), { ...job, hosts: 'a[1-11]' }] },
    `jobs[99].hosts: ${hosts}`,
  );
  checkError(t, { jobs: [{ ...job, hosts: 'a[0-9999][0-9999]' }] }, `jobs[0].hosts: ${hosts}`);
  const ids = 'more than 262144 ids in one request; ask for less';
  checkError(
    t,
    {
      jobs: [
        { ...job, ids: '0-262143' },
        { ...job, ids: 0 },
      ],
    },
    `jobs[1].ids: ${ids}`,
  );
  t.end();
});
