BEGIN TRANSACTION;
CREATE TABLE alias (
        row INTEGER NOT NULL, kind TEXT NOT NULL, name INTEGER NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (row, kind, name)) STRICT, WITHOUT ROWID;
INSERT INTO "alias" VALUES(0,'file',999341469651112215,'folder/0.jpg');
INSERT INTO "alias" VALUES(1,'file',4406801515307247979,'folder/1.jpg');
INSERT INTO "alias" VALUES(2,'file',1904654645610265735,'folder/2.jpg');
INSERT INTO "alias" VALUES(3,'file',283919640590217859,'folder/3.jpg');
INSERT INTO "alias" VALUES(4,'file',-8288859993554674196,'folder/4.jpg');
INSERT INTO "alias" VALUES(5,'file',-2096043480651287299,'folder/5.jpg');
CREATE TABLE ask (
        id INTEGER PRIMARY KEY, category INTEGER NOT NULL, version INTEGER NOT NULL,
        row INTEGER NOT NULL REFERENCES image (row), purpose TEXT NOT NULL, owner_only INTEGER NOT NULL,
        votes_wanted INTEGER NOT NULL, priority REAL NOT NULL, epoch INTEGER NOT NULL, draw INTEGER NOT NULL,
        task INTEGER, open INTEGER NOT NULL, part INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "ask" VALUES(1,1,1,0,'learn',0,1,0.0,0,-1,1,1,0);
INSERT INTO "ask" VALUES(2,1,1,1,'learn',0,1,-1.0,0,-1,1,1,0);
INSERT INTO "ask" VALUES(3,1,1,2,'mine gold',1,1,0.0,0,-1,2,1,0);
CREATE TABLE asked (
        category INTEGER NOT NULL, worker TEXT NOT NULL, row INTEGER NOT NULL, assignment TEXT NOT NULL,
        PRIMARY KEY (category, worker, row)) STRICT, WITHOUT ROWID;
INSERT INTO "asked" VALUES(1,'w1',0,'01a220bd-6ff0-7461-8e5a-34a9d18f587f');
INSERT INTO "asked" VALUES(1,'w1',1,'01a220bd-6ff0-7461-8e5a-34a9d18f587f');
INSERT INTO "asked" VALUES(1,'w3',0,'01a220bd-6ff3-7534-9e4c-2dd7a7d8e2c8');
INSERT INTO "asked" VALUES(1,'w3',1,'01a220bd-6ff3-7534-9e4c-2dd7a7d8e2c8');
CREATE TABLE assignment (
        id TEXT PRIMARY KEY, task INTEGER NOT NULL, category INTEGER NOT NULL, version INTEGER NOT NULL,
        worker TEXT NOT NULL, owner INTEGER NOT NULL, stage TEXT NOT NULL, dealt TEXT NOT NULL,
        dealt_ms INTEGER NOT NULL, lease_until_ms INTEGER NOT NULL, sent_ms INTEGER NOT NULL, answers TEXT NOT NULL,
        sequence INTEGER NOT NULL, drafts_erased INTEGER NOT NULL, reserved INTEGER NOT NULL DEFAULT 0, seal TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
INSERT INTO "assignment" VALUES('01a220bd-6ff0-7461-8e5a-34a9d18f587f',1,1,1,'w1',0,'weighted','[[0, 1], [1, 2], [5, null]]',100,3600100,150,'[[0, "yes", 0.5, 1.5, 0, 1, 0.0, true, 0], [1, "yes", 0.5, 1.6428571428571428, 0, 1, 0.0, true, 0], [2, "yes", 0.5, 1.7857142857142856, 0, 1, 0.0, true, 0]]',0,0,0,'48048bdb4a8f9dc2');
INSERT INTO "assignment" VALUES('01a220bd-6ff3-7534-9e4c-2dd7a7d8e2c8',1,1,1,'w3',0,'leased','[[0, 1], [1, 2], [5, null]]',100,3600300,0,'[]',3,0,3,'');
INSERT INTO "assignment" VALUES('01a220bd-6ff4-7785-b603-1db0a741f1ad',1,1,1,'w4',0,'returned','[[0, 1], [1, 2]]',100,3600100,0,'[]',0,0,0,'');
CREATE TABLE category (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, targets TEXT NOT NULL, exclusive TEXT NOT NULL,
        created_ms INTEGER NOT NULL) STRICT;
INSERT INTO "category" VALUES(1,'car','{"precision": 0.9, "recall": 0.8, "delta": 0.1, "answers": null, "method": "certified", "truth": "people", "check": null, "chosen": "the cheapest"}','',5);
CREATE TABLE claim (category INTEGER NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, rows INTEGER NOT NULL, yes INTEGER NOT NULL, scored INTEGER NOT NULL, at_ms INTEGER NOT NULL, data BLOB NOT NULL, seal TEXT NOT NULL DEFAULT '', PRIMARY KEY (category, name, number)) STRICT;
INSERT INTO "claim" VALUES(1,'labels',1,'csv','aa',2,1,0,9,X'789C636080002628CDC8000000280004','9159c2433f2ee7dc');
CREATE TABLE counter (
        category INTEGER NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,
        PRIMARY KEY (category, name)) STRICT, WITHOUT ROWID;
INSERT INTO "counter" VALUES(0,'images',6);
INSERT INTO "counter" VALUES(0,'mark:people',2);
INSERT INTO "counter" VALUES(1,'answers',2);
INSERT INTO "counter" VALUES(1,'asks:1:learn',2);
INSERT INTO "counter" VALUES(1,'asks:1:mine gold',1);
INSERT INTO "counter" VALUES(1,'assignments:leased',1);
INSERT INTO "counter" VALUES(1,'assignments:returned',1);
INSERT INTO "counter" VALUES(1,'assignments:sent',0);
INSERT INTO "counter" VALUES(1,'assignments:weighted',1);
INSERT INTO "counter" VALUES(1,'gold_answers',1);
INSERT INTO "counter" VALUES(1,'images',6);
INSERT INTO "counter" VALUES(1,'labels:1:no',1);
INSERT INTO "counter" VALUES(1,'mark:asks',13);
INSERT INTO "counter" VALUES(1,'mark:drafts',3);
INSERT INTO "counter" VALUES(1,'mark:gold',1);
INSERT INTO "counter" VALUES(1,'mark:labels',1);
INSERT INTO "counter" VALUES(1,'mark:pool',1);
INSERT INTO "counter" VALUES(1,'mark:question',3);
INSERT INTO "counter" VALUES(1,'mark:rounds',3);
INSERT INTO "counter" VALUES(1,'mark:votes',1);
INSERT INTO "counter" VALUES(1,'reserved',3);
INSERT INTO "counter" VALUES(1,'tasks_open',2);
CREATE TABLE device (device TEXT NOT NULL, worker TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (device, worker)) STRICT, WITHOUT ROWID;
CREATE TABLE draft (
        assignment TEXT NOT NULL, position INTEGER NOT NULL, given TEXT NOT NULL,
        PRIMARY KEY (assignment, position)) STRICT, WITHOUT ROWID;
INSERT INTO "draft" VALUES('01a220bd-6ff3-7534-9e4c-2dd7a7d8e2c8',0,'[[0, "yes", 0.5, 1.5, 0, 1, 0.0, true, 0]]');
INSERT INTO "draft" VALUES('01a220bd-6ff3-7534-9e4c-2dd7a7d8e2c8',1,'[[1, "yes", 0.5, 1.6428571428571428, 0, 1, 0.0, true, 0]]');
CREATE TABLE evidence (
        category INTEGER NOT NULL, epoch INTEGER NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL, seal TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (category, epoch, name)) STRICT;
INSERT INTO "evidence" VALUES(1,1,'ranking',X'010203','d25ca0854f8e1028');
CREATE TABLE gold (
        category INTEGER NOT NULL, version INTEGER NOT NULL, row INTEGER NOT NULL REFERENCES image (row),
        says TEXT NOT NULL, source TEXT NOT NULL, shown INTEGER NOT NULL, missed INTEGER NOT NULL,
        retired TEXT NOT NULL, seal TEXT NOT NULL DEFAULT '', PRIMARY KEY (category, version, row)) STRICT, WITHOUT ROWID;
INSERT INTO "gold" VALUES(1,1,5,'no','owner',0,0,'','6be4f9a4b0d3a228');
CREATE TABLE gold_answer (
        category INTEGER NOT NULL, version INTEGER NOT NULL, row INTEGER NOT NULL, worker TEXT NOT NULL,
        assignment TEXT NOT NULL, says TEXT NOT NULL,
        PRIMARY KEY (category, version, row, worker, assignment)) STRICT, WITHOUT ROWID;
INSERT INTO "gold_answer" VALUES(1,1,5,'w1','01a220bd-6ff0-7461-8e5a-34a9d18f587f','yes');
CREATE TABLE image (
        row INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, width INTEGER NOT NULL, height INTEGER NOT NULL,
        format TEXT NOT NULL, orientation INTEGER NOT NULL, bytes INTEGER NOT NULL, similar INTEGER NOT NULL,
        fingerprint TEXT, shard INTEGER, begins INTEGER, copy_of INTEGER) STRICT;
INSERT INTO "image" VALUES(0,X'476B4DA8F4BD231F12883298784BDFA83FB7D3050282062366DA7A574A696ACD',640,480,'JPEG',1,704,0,NULL,1,512,NULL);
INSERT INTO "image" VALUES(1,X'B1B2FAAD8C139769AC9455393D92F340B303C6577E813E6C785AFCC63F0DD1CF',640,480,'JPEG',1,704,1,NULL,1,2048,NULL);
INSERT INTO "image" VALUES(2,X'828DAC8C824A438A556CCC74A418D6C389DAB27E1D5057052D6B9B314C703984',640,480,'JPEG',1,704,2,NULL,1,3584,NULL);
INSERT INTO "image" VALUES(3,X'6BAFBDC4A2D47725B54B2AA92DDF9B7C19C43D437EF5693FC85F7E645C4D2EFE',640,480,'JPEG',1,704,3,NULL,1,5120,NULL);
INSERT INTO "image" VALUES(4,X'AC07F65BF91971E969A6D5D3A27FE69846635219627FBBA233D293F3D8E7FC55',640,480,'JPEG',1,704,4,NULL,1,6656,NULL);
INSERT INTO "image" VALUES(5,X'78317AE49FB251D80AA04A17FBF4785EEDD83F050F183771B20B23355E3B63B3',640,480,'JPEG',1,704,5,NULL,1,8192,NULL);
CREATE TABLE invite (
        id TEXT PRIMARY KEY, category TEXT NOT NULL, note TEXT NOT NULL, created_ms INTEGER NOT NULL,
        revoked_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "invite" VALUES('i1','car','',1,0);
CREATE TABLE job (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, category TEXT NOT NULL, arguments TEXT NOT NULL, state TEXT NOT NULL,
        host TEXT NOT NULL, pid INTEGER NOT NULL, created_ms INTEGER NOT NULL, heartbeat_ms INTEGER NOT NULL,
        done INTEGER NOT NULL, total INTEGER NOT NULL, cancel INTEGER NOT NULL, message TEXT NOT NULL, process TEXT NOT NULL DEFAULT '')
        STRICT, WITHOUT ROWID;
INSERT INTO "job" VALUES('j1','harvest','car','{"a.b": [1, null], "$c": 2}','done','h',1,5,6,7,8,1,'x','');
CREATE TABLE label (
        category INTEGER NOT NULL, version INTEGER NOT NULL, row INTEGER NOT NULL REFERENCES image (row),
        trust INTEGER NOT NULL, says TEXT NOT NULL, purpose TEXT NOT NULL, at_ms INTEGER NOT NULL,
        posterior REAL NOT NULL, votes INTEGER NOT NULL, epoch INTEGER NOT NULL, draw INTEGER NOT NULL, seal TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (category, version, row, trust)) STRICT, WITHOUT ROWID;
INSERT INTO "label" VALUES(1,1,5,0,'no','import',2,1.0,0,0,-1,'bd3c42bdaebd127d');
CREATE TABLE lease (
        name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "lease" VALUES('loop/car','me',15);
CREATE TABLE migration (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;
INSERT INTO "migration" VALUES(1,1795845615544);
INSERT INTO "migration" VALUES(2,1795845615544);
INSERT INTO "migration" VALUES(3,1795845615544);
INSERT INTO "migration" VALUES(4,1795845615544);
INSERT INTO "migration" VALUES(5,1795845615544);
CREATE TABLE one (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "one" VALUES('identity',X'30316132323062642D366663362D373030332D393732322D643366663066633033663861');
INSERT INTO "one" VALUES('secret',X'0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE origin (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, query TEXT NOT NULL, licence TEXT NOT NULL,
        at_ms INTEGER NOT NULL, UNIQUE (source, query, licence, at_ms)) STRICT;
INSERT INTO "origin" VALUES(1,'folder','','',6);
CREATE TABLE pool (
        category INTEGER NOT NULL, row INTEGER NOT NULL REFERENCES image (row), origin INTEGER NOT NULL, query TEXT,
        PRIMARY KEY (category, row)) STRICT, WITHOUT ROWID;
INSERT INTO "pool" VALUES(1,0,1,NULL);
INSERT INTO "pool" VALUES(1,1,1,NULL);
INSERT INTO "pool" VALUES(1,2,1,NULL);
INSERT INTO "pool" VALUES(1,3,1,NULL);
INSERT INTO "pool" VALUES(1,4,1,NULL);
INSERT INTO "pool" VALUES(1,5,1,NULL);
CREATE TABLE question (
        category INTEGER NOT NULL, number INTEGER NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL,
        instructions TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (category, number)) STRICT, WITHOUT ROWID;
INSERT INTO "question" VALUES(1,1,1,'Is this a car?','Look.',5);
CREATE TABLE reached (
        category INTEGER NOT NULL, version INTEGER NOT NULL, owner_only INTEGER NOT NULL, worker TEXT NOT NULL,
        task INTEGER NOT NULL, PRIMARY KEY (category, version, owner_only, worker)) STRICT, WITHOUT ROWID;
INSERT INTO "reached" VALUES(1,1,0,'w1',1);
INSERT INTO "reached" VALUES(1,1,0,'w3',1);
CREATE TABLE recheck (category INTEGER NOT NULL, assignment TEXT NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (category, assignment)) STRICT, WITHOUT ROWID;
CREATE TABLE refusal (
        key INTEGER PRIMARY KEY, category INTEGER NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
        detail TEXT NOT NULL, at_ms INTEGER NOT NULL, UNIQUE (category, name, reason)) STRICT;
CREATE TABLE release (category INTEGER NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, fingerprint TEXT NOT NULL DEFAULT '', seal TEXT NOT NULL DEFAULT '', PRIMARY KEY (category, id)) STRICT, WITHOUT ROWID;
INSERT INTO "release" VALUES(1,'r1','{"id": "r1", "category": "car", "version": 1, "round": 1, "path": "out", "images": 3, "certificate": {"precision": 0.9}, "at_ms": 99}','','dc0a13e16b27cd62');
CREATE TABLE review (category INTEGER NOT NULL, assignment TEXT NOT NULL, number INTEGER NOT NULL DEFAULT 1, version INTEGER NOT NULL, worker TEXT NOT NULL, verdict TEXT NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL, yes_right INTEGER NOT NULL, yes_shown INTEGER NOT NULL, no_right INTEGER NOT NULL, no_shown INTEGER NOT NULL, weight REAL NOT NULL, provisional INTEGER NOT NULL, seal TEXT NOT NULL DEFAULT '', PRIMARY KEY (category, assignment, number)) STRICT, WITHOUT ROWID;
INSERT INTO "review" VALUES(1,'01a220bd-6ff0-7461-8e5a-34a9d18f587f',1,1,'w1','weighted','because',160,0,0,1,1,0.5,0,'34e2f0cba560496a');
CREATE TABLE round (
        category INTEGER NOT NULL, number INTEGER NOT NULL, version INTEGER NOT NULL, record TEXT NOT NULL,
        head BLOB NOT NULL, seal TEXT NOT NULL DEFAULT '', PRIMARY KEY (category, number)) STRICT;
INSERT INTO "round" VALUES(1,1,1,'{"number": 1, "category": "car", "version": 1, "backbone": "x", "column": "scores/car/1", "thresholds": {"lower": -1.5, "upper": 2.5}, "counts": {"yes": 1, "no": 2, "unknown": 3}, "labels_yes": 4, "labels_no": 5, "measures": {"a": 0.5}, "head": "h", "at_ms": 9, "seconds": 0.5, "beside": ["theirs aa"]}',X'0068656164','fd6048977dafccf9');
CREATE TABLE same_answer (row INTEGER NOT NULL, addresses INTEGER NOT NULL, address TEXT NOT NULL, PRIMARY KEY (row)) STRICT, WITHOUT ROWID;
CREATE TABLE seen_file (mark TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (mark)) STRICT, WITHOUT ROWID;
CREATE TABLE seen_gold (
        category INTEGER NOT NULL, worker TEXT NOT NULL, row INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        PRIMARY KEY (category, worker, row)) STRICT, WITHOUT ROWID;
INSERT INTO "seen_gold" VALUES(1,'w1',5,100);
INSERT INTO "seen_gold" VALUES(1,'w3',5,100);
CREATE TABLE server (id TEXT NOT NULL, url TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, started_ms INTEGER NOT NULL, heartbeat_ms INTEGER NOT NULL, PRIMARY KEY (id)) STRICT, WITHOUT ROWID;
CREATE TABLE shard (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO "shard" VALUES(1,'01a220bd-6feb-74ac-aefa-edb9b8ae7461');
CREATE TABLE task (
        number INTEGER PRIMARY KEY, category INTEGER NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL,
        rows TEXT NOT NULL, asks TEXT NOT NULL, places INTEGER NOT NULL, taken INTEGER NOT NULL,
        done INTEGER NOT NULL, owner_only INTEGER NOT NULL, published_ms INTEGER NOT NULL, kind TEXT NOT NULL DEFAULT 'single', gold TEXT NOT NULL DEFAULT '[]') STRICT;
INSERT INTO "task" VALUES(1,1,1,'named','[0, 1]','[1, 2]',3,2,1,0,10,'single','[]');
INSERT INTO "task" VALUES(2,1,1,'named','[2]','[3]',1,0,0,1,10,'single','[]');
CREATE TABLE vote (
        category INTEGER NOT NULL, version INTEGER NOT NULL, row INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        assignment TEXT NOT NULL, worker TEXT NOT NULL, says TEXT NOT NULL, purpose TEXT NOT NULL,
        weight REAL NOT NULL, epoch INTEGER NOT NULL, draw INTEGER NOT NULL,
        PRIMARY KEY (category, version, row, at_ms, assignment)) STRICT, WITHOUT ROWID;
INSERT INTO "vote" VALUES(1,1,0,150,'01a220bd-6ff0-7461-8e5a-34a9d18f587f','w1','yes','learn',0.5,0,-1);
INSERT INTO "vote" VALUES(1,1,1,150,'01a220bd-6ff0-7461-8e5a-34a9d18f587f','w1','yes','learn',0.5,0,-1);
CREATE TABLE words (category INTEGER NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (category, number)) STRICT, WITHOUT ROWID;
INSERT INTO "words" VALUES(1,1,'a red car',9);
CREATE TABLE worker (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, owner INTEGER NOT NULL, invite TEXT NOT NULL,
        created_ms INTEGER NOT NULL, address TEXT NOT NULL DEFAULT '', waits_ms INTEGER NOT NULL DEFAULT 0, cleared_ms INTEGER NOT NULL DEFAULT 0, excluded_ms INTEGER NOT NULL DEFAULT 0, excluded_why TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
INSERT INTO "worker" VALUES('w1','Ada',0,'i1',1,'',0,0,0,'');
CREATE INDEX image_fingerprint ON image (fingerprint, row) WHERE fingerprint IS NOT NULL;
CREATE INDEX image_lost ON image (row) WHERE begins = -1;
CREATE INDEX image_shard ON image (shard, begins) WHERE shard IS NOT NULL;
CREATE INDEX alias_name ON alias (name);
CREATE INDEX refusal_page ON refusal (category, key);
CREATE INDEX ask_waiting ON ask (category, version, owner_only, priority DESC, draw, id)
        WHERE open AND task IS NULL;
CREATE INDEX ask_of_task ON ask (task) WHERE task IS NOT NULL;
CREATE INDEX task_page ON task (category, number);
CREATE INDEX task_free ON task (category, version, owner_only, number) WHERE taken < places;
CREATE INDEX assignment_page ON assignment (category, id);
CREATE INDEX assignment_of_worker ON assignment (worker, id);
CREATE UNIQUE INDEX assignment_held ON assignment (category, version, worker) WHERE stage = 'leased';
CREATE INDEX assignment_lease ON assignment (lease_until_ms) WHERE stage = 'leased';
CREATE INDEX assignment_sent ON assignment (category, sent_ms, id) WHERE stage = 'sent';
CREATE INDEX asked_in ON asked (assignment);
CREATE INDEX round_of_version ON round (category, version, number);
CREATE INDEX review_of_worker ON review (category, version, worker, assignment, number);
CREATE INDEX worker_of_invite ON worker (invite, created_ms, id);
CREATE INDEX worker_of_address ON worker (address, created_ms, id);
CREATE INDEX device_of_worker ON device (worker, device, worker);
CREATE UNIQUE INDEX ask_open ON ask (category, version, row, purpose, epoch, part) WHERE open;
CREATE INDEX review_of_time ON review (category, at_ms, assignment, number);
COMMIT;
