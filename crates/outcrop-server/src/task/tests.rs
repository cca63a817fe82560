//! What takes long keeps nobody waiting.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use outcrop_translate::TaskAnswer;
use outcrop_translate::catalogue::Catalogue;

use super::*;

/// Plans until another request has been heard of.
struct Slow;

static OTHER: Mutex<Option<Receiver<()>>> = Mutex::new(None);
static STARTED: tokio::sync::Notify = tokio::sync::Notify::const_new();

impl Task for Slow {
    type Memo = ();

    const DESCRIPTION: &'static str = "{}";
    const PLANS_SLOWLY: bool = true;

    fn plan(_: &Input, _: &Context<'_>) -> Result<TaskPlan<()>, Halt> {
        STARTED.notify_one();
        let other = OTHER.lock().unwrap().take().unwrap();
        let heard = other.recv_timeout(Duration::from_secs(20));
        Err(Halt::Problem(Problem::invalid(format!("{heard:?}"))))
    }

    fn answer((): &(), _: &[TaskReply<'_>], _: &AnswerContext<'_>) -> Result<TaskAnswer, Problem> {
        Ok(TaskAnswer::default())
    }

    fn error(_: &Problem) -> Vec<u8> {
        Vec::new()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_slow_plan_keeps_no_other_request_waiting() {
    let (heard, other) = mpsc::channel();
    *OTHER.lock().unwrap() = Some(other);
    let planning = tokio::spawn(async {
        let _turn = turn::<Slow>().await;
        let context = Context {
            unique: 1,
            created: 1,
            path_model: None,
            max_choices: 1,
            region: "",
            catalogue: Catalogue::built_in(),
            advisor: None,
            remote: None,
            repair: None,
        };
        plan_aside::<Slow>(&Input::Json(Bytes::new()), &context).map(|_| ())
    });
    STARTED.notified().await;
    tokio::spawn(async move { heard.send(()) }).await.unwrap().unwrap();
    let Err(Halt::Problem(problem)) = planning.await.unwrap() else {
        panic!("it has no plan");
    };
    assert_eq!(problem.message, "Ok(())");
}
