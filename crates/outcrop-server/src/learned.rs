//! What models refused, kept for a while: in memory, for this instance.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use outcrop_translate::Lesson;
use tokio::time::Instant;

/// A lesson is forgotten after this long: models are changed, and a request a day to find out is cheap.
const LASTS: Duration = Duration::from_secs(24 * 60 * 60);
/// As many models as lessons are kept for, so that a client that makes up names can't fill the memory.
const MAX_MODELS: usize = 1000;
/// As many lessons as are kept for a model.
const MAX_LESSONS: usize = 32;

/// What models refused.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    models: Mutex<HashMap<String, Vec<(Lesson, Instant)>>>,
    /// How many lessons there ever were.
    count: AtomicU64,
}

impl Learned {
    /// Remembers a lesson. `false` if it was known.
    pub(crate) fn add(&self, model_id: &str, lesson: Lesson) -> bool {
        self.add_at(Instant::now(), model_id, lesson)
    }

    fn add_at(&self, now: Instant, model_id: &str, lesson: Lesson) -> bool {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever makes up names must not keep others from being learned: the oldest goes.
        if !models.contains_key(model_id)
            && models.len() >= MAX_MODELS
            && let Some(oldest) = oldest(&models)
        {
            models.remove(&oldest);
        }
        let lessons = models.entry(model_id.to_owned()).or_default();
        lessons.retain(|(_, learned)| is_fresh(*learned, now));
        if lessons.iter().any(|(known, _)| *known == lesson) {
            return false;
        }
        if lessons.len() >= MAX_LESSONS {
            lessons.remove(0);
        }
        lessons.push((lesson, now));
        self.count.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// How many lessons there ever were: whoever wrote them down knows by it whether there are more.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// What is known of a model.
    pub(crate) fn of(&self, model_id: &str) -> Vec<Lesson> {
        self.of_at(Instant::now(), model_id)
    }

    fn of_at(&self, now: Instant, model_id: &str) -> Vec<Lesson> {
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let lessons = models.get(model_id).into_iter().flatten();
        lessons
            .filter(|(_, learned)| is_fresh(*learned, now))
            .map(|(lesson, _)| lesson.clone())
            .collect()
    }
}

/// The model of which nothing was learned for the longest time.
fn oldest(models: &HashMap<String, Vec<(Lesson, Instant)>>) -> Option<String> {
    let last = |lessons: &[(Lesson, Instant)]| lessons.last().map(|(_, learned)| *learned);
    let oldest = models.iter().min_by_key(|(_, lessons)| last(lessons));
    oldest.map(|(model_id, _)| model_id.clone())
}

fn is_fresh(learned: Instant, now: Instant) -> bool {
    now.duration_since(learned) < LASTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_is_learned_once_and_forgotten_in_time() {
        let (learned, now) = (Learned::default(), Instant::now());
        assert!(learned.add_at(now, "m", Lesson::Prefill));
        assert!(!learned.add_at(now, "m", Lesson::Prefill));
        assert_eq!(learned.of_at(now, "m"), [Lesson::Prefill]);
        assert!(learned.of_at(now, "n").is_empty());
        let later = now + LASTS;
        assert!(learned.of_at(later, "m").is_empty());
        assert!(learned.add_at(later, "m", Lesson::Prefill));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let learned = Learned::default();
        for number in 0..MAX_MODELS + 10 {
            learned.add(&format!("m{number}"), Lesson::Prefill);
        }
        for number in 0..MAX_LESSONS + 10 {
            learned.add("m1", Lesson::Parameter(number.to_string()));
        }
        assert_eq!(learned.models.lock().unwrap().len(), MAX_MODELS);
        assert_eq!(learned.of("m1").len(), MAX_LESSONS);
    }
}
