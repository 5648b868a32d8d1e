import { useStore } from './store';
import { Explanation } from './views/explanation';
import type { Handed } from './views/handed';
import { Home } from './views/home';
import { Join } from './views/join';
import { Pictures } from './views/pictures';
import { Review } from './views/review';
import { SentView } from './views/sent';
import { TroubleView } from './views/trouble';

const PLACES = { starting: Starting, invited: Join, home: Home, task: TaskView, sent: SentView, trouble: TroubleView };
const TASK_VIEWS = { explanation: Explanation, pictures: Pictures, review: Review };

export function App(handed: Handed) {
  const place = useStore(handed.store, (state) => state.session.place);
  const Place = PLACES[place];
  return <Place {...handed} />;
}

function TaskView(handed: Handed) {
  const view = useStore(handed.store, (state) => state.task.view);
  const View = TASK_VIEWS[view];
  return <View {...handed} />;
}

function Starting() {
  return (
    <main className="page">
      <p role="status" className="quiet">
        Loading your page…
      </p>
    </main>
  );
}
