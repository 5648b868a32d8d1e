import { api } from "./api";
const injectedRtkApi = api.injectEndpoints({
  endpoints: (build) => ({
    join: build.mutation<JoinApiResponse, JoinApiArg>({
      query: (queryArg) => ({
        url: `/api/work/join`,
        method: "POST",
        body: queryArg.join,
      }),
    }),
    me: build.query<MeApiResponse, MeApiArg>({
      query: () => ({ url: `/api/work/me` }),
    }),
    deal: build.mutation<DealApiResponse, DealApiArg>({
      query: (queryArg) => ({
        url: `/api/work/assignments`,
        method: "POST",
        body: queryArg.deal,
      }),
    }),
    reopen: build.query<ReopenApiResponse, ReopenApiArg>({
      query: () => ({ url: `/api/work/assignment` }),
    }),
    keepDrafts: build.mutation<KeepDraftsApiResponse, KeepDraftsApiArg>({
      query: (queryArg) => ({
        url: `/api/work/drafts`,
        method: "PUT",
        body: queryArg.drafts,
      }),
    }),
    send: build.mutation<SendApiResponse, SendApiArg>({
      query: (queryArg) => ({
        url: `/api/work/send`,
        method: "POST",
        body: queryArg.send,
      }),
    }),
    giveBack: build.mutation<GiveBackApiResponse, GiveBackApiArg>({
      query: () => ({ url: `/api/work/return`, method: "POST" }),
    }),
    picture: build.query<PictureApiResponse, PictureApiArg>({
      query: (queryArg) => ({
        url: `/api/work/pictures/${queryArg.key}`,
        params: {
          large: queryArg.large,
        },
      }),
    }),
    categories: build.query<CategoriesApiResponse, CategoriesApiArg>({
      query: () => ({ url: `/api/console/categories` }),
    }),
    addCategory: build.mutation<AddCategoryApiResponse, AddCategoryApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories`,
        method: "POST",
        body: queryArg.newCategory,
      }),
    }),
    category: build.query<CategoryApiResponse, CategoryApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}`,
      }),
    }),
    questions: build.query<QuestionsApiResponse, QuestionsApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/questions`,
      }),
    }),
    rewordQuestion: build.mutation<
      RewordQuestionApiResponse,
      RewordQuestionApiArg
    >({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/questions`,
        method: "POST",
        body: queryArg.reword,
      }),
    }),
    plan: build.query<PlanApiResponse, PlanApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/plan`,
        params: {
          precision: queryArg.precision,
          recall: queryArg.recall,
          delta: queryArg.delta,
          prevalence: queryArg.prevalence,
          answers: queryArg.answers,
          method: queryArg.method,
        },
      }),
    }),
    pictures: build.query<PicturesApiResponse, PicturesApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/pictures`,
        params: {
          decision: queryArg.decision,
          after: queryArg.after,
          limit: queryArg.limit,
        },
      }),
    }),
    rounds: build.query<RoundsApiResponse, RoundsApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/rounds`,
      }),
    }),
    refusals: build.query<RefusalsApiResponse, RefusalsApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/refusals`,
        params: {
          after: queryArg.after,
          limit: queryArg.limit,
        },
      }),
    }),
    categoryWorkers: build.query<
      CategoryWorkersApiResponse,
      CategoryWorkersApiArg
    >({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/workers`,
      }),
    }),
    workers: build.query<WorkersApiResponse, WorkersApiArg>({
      query: () => ({ url: `/api/console/workers` }),
    }),
    excludeWorker: build.mutation<
      ExcludeWorkerApiResponse,
      ExcludeWorkerApiArg
    >({
      query: (queryArg) => ({
        url: `/api/console/workers/${queryArg.worker}/exclude`,
        method: "POST",
        body: queryArg.exclusion,
      }),
    }),
    admitWorker: build.mutation<AdmitWorkerApiResponse, AdmitWorkerApiArg>({
      query: (queryArg) => ({
        url: `/api/console/workers/${queryArg.worker}/admit`,
        method: "POST",
      }),
    }),
    invites: build.query<InvitesApiResponse, InvitesApiArg>({
      query: () => ({ url: `/api/console/invites` }),
    }),
    addInvite: build.mutation<AddInviteApiResponse, AddInviteApiArg>({
      query: (queryArg) => ({
        url: `/api/console/invites`,
        method: "POST",
        body: queryArg.newInvite,
      }),
    }),
    revokeInvite: build.mutation<RevokeInviteApiResponse, RevokeInviteApiArg>({
      query: (queryArg) => ({
        url: `/api/console/invites/${queryArg.invite}`,
        method: "DELETE",
      }),
    }),
    ownerLink: build.mutation<OwnerLinkApiResponse, OwnerLinkApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/owner-link`,
        method: "POST",
      }),
    }),
    tasks: build.query<TasksApiResponse, TasksApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/tasks`,
        params: {
          after: queryArg.after,
          limit: queryArg.limit,
        },
      }),
    }),
    uploadTask: build.mutation<UploadTaskApiResponse, UploadTaskApiArg>({
      query: (queryArg) => ({
        url: `/api/console/categories/${queryArg.name}/tasks`,
        method: "POST",
        body: queryArg.upload,
      }),
    }),
    jobs: build.query<JobsApiResponse, JobsApiArg>({
      query: (queryArg) => ({
        url: `/api/console/jobs`,
        params: {
          limit: queryArg.limit,
        },
      }),
    }),
    cancelJob: build.mutation<CancelJobApiResponse, CancelJobApiArg>({
      query: (queryArg) => ({
        url: `/api/console/jobs/${queryArg.job}/cancel`,
        method: "POST",
      }),
    }),
    thumbnail: build.query<ThumbnailApiResponse, ThumbnailApiArg>({
      query: (queryArg) => ({ url: `/api/console/thumbnails/${queryArg.key}` }),
    }),
    health: build.query<HealthApiResponse, HealthApiArg>({
      query: () => ({ url: `/healthz` }),
    }),
    ready: build.query<ReadyApiResponse, ReadyApiArg>({
      query: () => ({ url: `/readyz` }),
    }),
  }),
  overrideExisting: false,
});
export { injectedRtkApi as generated };
export type JoinApiResponse = /** status 200 Successful Response */ Joined;
export type JoinApiArg = {
  join: Join;
};
export type MeApiResponse = /** status 200 Successful Response */ Me;
export type MeApiArg = void;
export type DealApiResponse = /** status 200 Successful Response */ Work;
export type DealApiArg = {
  deal: Deal;
};
export type ReopenApiResponse = /** status 200 Successful Response */ Work;
export type ReopenApiArg = void;
export type KeepDraftsApiResponse = /** status 200 Successful Response */ Kept;
export type KeepDraftsApiArg = {
  drafts: Drafts;
};
export type SendApiResponse = /** status 200 Successful Response */ Sent;
export type SendApiArg = {
  send: Send;
};
export type GiveBackApiResponse = unknown;
export type GiveBackApiArg = void;
export type PictureApiResponse = /** status 200 The picture. */ Blob;
export type PictureApiArg = {
  key: string;
  large?: boolean;
};
export type CategoriesApiResponse =
  /** status 200 Successful Response */ CategoryWire[];
export type CategoriesApiArg = void;
export type AddCategoryApiResponse =
  /** status 201 Successful Response */ CategoryWire;
export type AddCategoryApiArg = {
  newCategory: NewCategory;
};
export type CategoryApiResponse =
  /** status 200 Successful Response */ CategoryWire;
export type CategoryApiArg = {
  name: string;
};
export type QuestionsApiResponse =
  /** status 200 Successful Response */ WordingWire[];
export type QuestionsApiArg = {
  name: string;
};
export type RewordQuestionApiResponse =
  /** status 200 Successful Response */ CategoryWire;
export type RewordQuestionApiArg = {
  name: string;
  reword: Reword;
};
export type PlanApiResponse = /** status 200 Successful Response */ PlanWire;
export type PlanApiArg = {
  name: string;
  precision?: number | null;
  recall?: number | null;
  delta?: number | null;
  prevalence?: number | null;
  answers?: number | null;
  method?: string | null;
};
export type PicturesApiResponse =
  /** status 200 Successful Response */ Pictures;
export type PicturesApiArg = {
  name: string;
  decision?: Decision | null;
  after?: number | null;
  limit?: number;
};
export type RoundsApiResponse =
  /** status 200 Successful Response */ RoundWire[];
export type RoundsApiArg = {
  name: string;
};
export type RefusalsApiResponse =
  /** status 200 Successful Response */ Refusals;
export type RefusalsApiArg = {
  name: string;
  after?: number;
  limit?: number;
};
export type CategoryWorkersApiResponse =
  /** status 200 Successful Response */ WorkerWire[];
export type CategoryWorkersApiArg = {
  name: string;
};
export type WorkersApiResponse =
  /** status 200 Successful Response */ WorkerWire[];
export type WorkersApiArg = void;
export type ExcludeWorkerApiResponse = unknown;
export type ExcludeWorkerApiArg = {
  worker: string;
  exclusion: Exclusion;
};
export type AdmitWorkerApiResponse = unknown;
export type AdmitWorkerApiArg = {
  worker: string;
};
export type InvitesApiResponse =
  /** status 200 Successful Response */ InviteWire[];
export type InvitesApiArg = void;
export type AddInviteApiResponse =
  /** status 201 Successful Response */ InviteWire;
export type AddInviteApiArg = {
  newInvite: NewInvite;
};
export type RevokeInviteApiResponse = unknown;
export type RevokeInviteApiArg = {
  invite: string;
};
export type OwnerLinkApiResponse =
  /** status 200 Successful Response */ OwnerLink;
export type OwnerLinkApiArg = {
  name: string;
};
export type TasksApiResponse = /** status 200 Successful Response */ TaskWire[];
export type TasksApiArg = {
  name: string;
  after?: number;
  limit?: number;
};
export type UploadTaskApiResponse =
  /** status 201 Successful Response */ Uploaded;
export type UploadTaskApiArg = {
  name: string;
  upload: Upload;
};
export type JobsApiResponse = /** status 200 Successful Response */ JobWire[];
export type JobsApiArg = {
  limit?: number;
};
export type CancelJobApiResponse =
  /** status 200 Successful Response */ JobWire;
export type CancelJobApiArg = {
  job: string;
};
export type ThumbnailApiResponse = /** status 200 The picture, small. */ Blob;
export type ThumbnailApiArg = {
  key: string;
};
export type HealthApiResponse = /** status 200 Successful Response */ Health;
export type HealthApiArg = void;
export type ReadyApiResponse = /** status 200 Successful Response */ Health;
export type ReadyApiArg = void;
export type Joined = {
  token: string;
  link: string;
  device: string;
};
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  where?: string;
  next?: string;
};
export type Join = {
  invite: string;
  name?: string;
  device?: string;
};
export type Offer = {
  category: string;
  question: string;
  images: number;
  unfinished: boolean;
};
export type Past = {
  category: string;
  sent_at_ms: number;
  images: number;
  verdict: "waiting" | "accepted" | "weighted" | "rejected";
  why: string;
};
export type Me = {
  name: string;
  notice: string;
  owner: boolean;
  offers: Offer[];
  past: Past[];
};
export type Says = "yes" | "no" | "unsure";
export type Example = {
  picture: string;
  says: Says;
};
export type Entry = {
  position: number;
  says: Says;
  first_seconds: number;
  seconds: number;
  changes?: number;
  visits?: number;
  hidden_seconds?: number;
  ready?: boolean;
  at_ms?: number;
};
export type Work = {
  token: string;
  category: string;
  question: string;
  instructions: string;
  examples: Example[];
  pictures: string[];
  entries: Entry[];
  sequence: number;
  lease_until_ms: number;
  now_ms: number;
  device?: string;
};
export type Deal = {
  category: string;
  device?: string;
};
export type Kept = {
  sequence: number;
  entries: number;
  others: Entry[];
  lease_until_ms: number;
};
export type Drafts = {
  sequence: number;
  entries: Entry[];
};
export type Sent = {
  receipt: string;
  others: number;
  verdict: "waiting" | "accepted" | "weighted" | "rejected";
  why: string;
  more: boolean;
};
export type Send = {
  entries: Entry[];
};
export type TargetsWire = {
  precision?: number;
  recall?: number;
  delta?: number;
  answers?: number | null;
  method?: string;
  truth?: "people" | "owner";
  check?: boolean | null;
  chosen?: string;
};
export type GroundsWire = {
  labelled: number;
  inherited: number;
  scored: number;
};
export type GateWire = {
  provisional: boolean;
  says: string;
  missing_yes: number;
  missing_no: number;
};
export type CategoryWire = {
  name: string;
  question: string;
  version: number;
  instructions: string;
  targets: TargetsWire;
  images: number;
  refused: number;
  yes: number;
  no: number;
  unknown: number;
  yes_by: GroundsWire;
  certified: boolean;
  labels: {
    [key: string]: number;
  };
  gold_yes: number;
  gold_no: number;
  gate: GateWire;
  asks_open: {
    [key: string]: number;
  };
  answers: number;
  gold_answers: number;
  owner_answers: number;
  reserved_answers: number;
  tasks_open: number;
  assignments: {
    [key: string]: number;
  };
  rounds: number;
  waits_for: string;
  loop_running: boolean;
};
export type NewCategory = {
  name: string;
  question: string;
  instructions?: string;
  targets?: TargetsWire;
};
export type WordingWire = {
  version: number;
  text: string;
  instructions: string;
  at_ms: number;
};
export type Reword = {
  question?: string | null;
  instructions?: string | null;
  keep_answers?: boolean;
  version?: number | null;
  confirmed?: boolean;
};
export type RangeWire = {
  low: number;
  expected: number;
  high: number;
};
export type PlanWire = {
  method: string;
  pictures: RangeWire;
  answers: RangeWire;
  hours: RangeWire;
  dollars: RangeWire;
  floor: number;
  prevalence: number;
  certified: number | null;
  delivered: number | null;
  advice: string;
  chosen?: string;
  words: string[];
};
export type Decision = "yes" | "no" | "unknown";
export type Picture = {
  row: number;
  sha256: string;
  file: string;
  width: number;
  height: number;
  thumbnail: string;
  decision: Decision | null;
  inherited: boolean;
  score: number | null;
  label: Says | null;
  source: string | null;
};
export type Pictures = {
  pictures: Picture[];
  after: number | null;
};
export type RoundWire = {
  number: number;
  at_ms: number;
  seconds: number;
  backbone: string;
  labels_yes: number;
  labels_no: number;
  yes: number;
  no: number;
  unknown: number;
  lower: number | null;
  upper: number | null;
  measures: {
    [key: string]: number;
  };
};
export type RefusalWire = {
  name: string;
  reason: string;
  detail: string;
  at_ms: number;
};
export type Refusals = {
  counts: {
    [key: string]: number;
  };
  refusals: RefusalWire[];
  after: number | null;
};
export type WorkerWire = {
  id: string;
  name: string;
  owner: boolean;
  joined_ms: number;
  assignments: number;
  accepted: number;
  weighted: number;
  rejected: number;
  provisional: number;
  answers: number;
  gold_right: number;
  gold_shown: number;
  seconds: number | null;
  standing: "free" | "waiting" | "excluded" | "closed";
  excluded_why: string;
  same_device: number;
  same_address: number;
};
export type Exclusion = {
  why: string;
};
export type InviteWire = {
  id: string;
  category: string;
  note: string;
  link: string;
  created_ms: number;
  revoked: boolean;
  people: number;
};
export type NewInvite = {
  category?: string;
  note?: string;
};
export type OwnerLink = {
  link: string;
};
export type TaskWire = {
  number: number;
  name: string;
  images: number;
  places: number;
  taken: number;
  done: number;
  owner_only: boolean;
  published_ms: number;
};
export type Known = {
  image: string;
  says: "yes" | "no";
};
export type Uploaded = {
  tasks: number[];
  images: number;
  unknown: number;
  unknown_names: string[];
  known: number;
  known_names: Known[];
};
export type Upload = {
  name: string;
  images: string[];
};
export type JobWire = {
  id: string;
  kind: string;
  category: string;
  state: string;
  done: number;
  total: number;
  message: string;
  created_ms: number;
  heartbeat_ms: number;
};
export type Health = {
  status: "ok";
  version: string;
};
export const {
  useJoinMutation,
  useMeQuery,
  useDealMutation,
  useReopenQuery,
  useKeepDraftsMutation,
  useSendMutation,
  useGiveBackMutation,
  usePictureQuery,
  useCategoriesQuery,
  useAddCategoryMutation,
  useCategoryQuery,
  useQuestionsQuery,
  useRewordQuestionMutation,
  usePlanQuery,
  usePicturesQuery,
  useRoundsQuery,
  useRefusalsQuery,
  useCategoryWorkersQuery,
  useWorkersQuery,
  useExcludeWorkerMutation,
  useAdmitWorkerMutation,
  useInvitesQuery,
  useAddInviteMutation,
  useRevokeInviteMutation,
  useOwnerLinkMutation,
  useTasksQuery,
  useUploadTaskMutation,
  useJobsQuery,
  useCancelJobMutation,
  useThumbnailQuery,
  useHealthQuery,
  useReadyQuery,
} = injectedRtkApi;
