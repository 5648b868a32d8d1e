/** The generated endpoints with what each shows and what each changes, so that views refresh by themselves. */

import { generated } from '../../wire/generated';

type Tag = 'Category' | 'Worker' | 'Invite' | 'Task' | 'Job';

const tagged = generated.enhanceEndpoints<Tag>({
  addTagTypes: ['Category', 'Worker', 'Invite', 'Task', 'Job'],
  endpoints: {
    categories: { providesTags: ['Category'] },
    category: { providesTags: ['Category'] },
    addCategory: { invalidatesTags: ['Category'] },
    questions: { providesTags: ['Category'] },
    rewordQuestion: { invalidatesTags: ['Category', 'Task'] },
    ownerLink: { invalidatesTags: ['Category', 'Task'] },
    tasks: { providesTags: ['Task'] },
    uploadTask: { invalidatesTags: ['Category', 'Task'] },
    workers: { providesTags: ['Worker'] },
    categoryWorkers: { providesTags: ['Worker'] },
    excludeWorker: { invalidatesTags: ['Worker'] },
    admitWorker: { invalidatesTags: ['Worker'] },
    invites: { providesTags: ['Invite'] },
    addInvite: { invalidatesTags: ['Invite'] },
    revokeInvite: { invalidatesTags: ['Invite', 'Worker'] },
    jobs: { providesTags: ['Job'] },
    cancelJob: { invalidatesTags: ['Job'] },
  },
});

export const {
  useAddCategoryMutation,
  useAddInviteMutation,
  useAdmitWorkerMutation,
  useCancelJobMutation,
  useCategoriesQuery,
  useCategoryQuery,
  useCategoryWorkersQuery,
  useExcludeWorkerMutation,
  useInvitesQuery,
  useJobsQuery,
  useOwnerLinkMutation,
  usePicturesQuery,
  useQuestionsQuery,
  useRefusalsQuery,
  useRevokeInviteMutation,
  useRewordQuestionMutation,
  useRoundsQuery,
  useTasksQuery,
  useUploadTaskMutation,
  useWorkersQuery,
} = tagged;
