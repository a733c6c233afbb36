//! The conformance story of a store: what every implementation of `Store` must survive.
//!
//! A new one joins by implementing `Database` and one line of `conformance!`. What only one has (`SQLite` its file,
//! PostgreSQL other workers at the same moment) is under `sqlite` and `postgres`.

mod batches;
mod census;
mod commits;
mod fleet;
mod front;
mod intake;
mod leases;
mod ledger;
mod postgres;
mod races;
mod reconcile;
mod requests;
#[cfg(unix)]
mod sqlite;
pub(crate) mod support;
mod suppression;

/// Every chapter of the story as a test of one kind of database.
macro_rules! conformance {
    ($name:ident, $database:expr) => {
        mod $name {
            use super::*;

            conformance! { @chapters $database;
                intake: registrations_become_jobs_once, duplicates_in_one_batch_are_one_job,
                    a_fresh_record_makes_no_job, a_new_address_is_looked_up_again,
                    a_dead_letter_is_overtaken_by_a_registration, refused_rows_are_dead_letters;
                leases: claims_are_exclusive, the_most_urgent_come_first, a_claim_takes_at_most_its_limit,
                    a_lease_keeps_others_out_until_rescued, a_lost_hold_does_nothing,
                    a_release_gives_the_attempt_back_but_not_the_fence, rescues_end_in_a_dead_letter,
                    a_renewed_lease_is_not_rescued, the_next_due_time_is_known;
                commits: a_record_comes_back_as_it_was_written, a_retry_waits_and_counts,
                    a_snooze_gives_the_attempt_back_but_not_the_fence, a_dead_job_leaves_a_letter_and_its_findings,
                    a_stale_outcome_writes_nothing, one_hold_ends_one_execution,
                    an_outcome_of_another_member_is_stale, a_group_is_written_whole_or_not_at_all,
                    an_address_changed_meanwhile_runs_again, answers_are_kept_until_they_expire, a_sample_of_answers_is_the_same_for_everybody,
                    answers_are_saved_along_with_a_commit, an_older_answer_does_not_replace_a_newer,
                    a_paid_lookup_is_logged_with_its_answer, lookups_are_totalled;
                ledger: lessons_add_up_and_name_no_member, the_lookups_of_a_member_are_told_in_order,
                    a_member_is_looked_up_again_when_it_is_forgotten;
                suppression: a_suppressed_person_is_not_taken_in, suppression_removes_what_is_stored,
                    suppression_beats_a_running_job, suppression_in_the_same_batch_beats_a_record,
                    a_suppressed_job_never_waits_again, suppression_races_leave_nothing,
                    a_suppressed_old_address_spares_the_new_one;
                requests: a_request_is_taken_in_once, a_request_that_repeats_in_its_own_batch_is_one,
                    a_late_repeat_of_an_event_undoes_nothing, requests_are_forgotten_when_their_time_is_over,
                    one_request_at_several_doors_is_taken_in_once, the_backlog_is_counted_no_further_than_asked,
                    a_members_place_is_known, a_suppressed_member_is_nowhere;
                reconcile: a_member_is_known_wherever_they_are, looking_changes_nothing_and_answers_in_order;
                fleet: a_slot_is_granted_once, a_grant_ends_at_the_horizon, a_restart_begins_no_new_burst,
                    a_burst_is_everybodys, a_notice_keeps_the_first_slot_ahead,
                    a_budget_of_calls_ends_with_its_day_and_its_month, slots_that_were_not_used_cost_no_budget,
                    a_budget_of_money_counts_what_is_under_way, usage_is_counted_by_day_and_month,
                    a_block_closes_a_provider_for_everybody, a_pause_lasts_until_it_is_resumed,
                    a_pause_with_an_end_ends_by_itself, a_resume_makes_due_what_waited_for_it,
                    a_breaker_opens_for_twice_as_long_and_one_worker_tries, of_many_who_would_try_one_may,
                    two_who_ask_are_told_of_each_other, workers_beat_leave_and_are_forgotten;
                batches: a_selection_says_what_it_selects, a_list_and_a_class_of_errors_select,
                    a_replay_puts_each_member_in_once, a_member_in_a_hurry_overtakes_its_replay,
                    a_pause_stops_the_filling_and_a_resume_goes_on, a_cancelled_batch_loses_nobody,
                    members_come_with_a_batch_through_every_door, a_batch_of_a_door_can_be_held_back,
                    a_replay_never_brings_back_who_was_suppressed,
                    a_ceiling_is_never_exceeded, a_job_knows_which_answers_it_asks_for_again,
                    a_replay_tells_what_it_changed, records_are_made_anew_without_a_job,
                    dead_letters_are_found_grouped_and_thrown_away, whatever_operators_do_adds_up;
                census: every_history_adds_up;
            }
        }
    };
    (@chapters $database:expr; $($chapter:ident: $($story:ident),+;)+) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                $chapter::$story(&$database).await;
            }
        )+)+
    };
}

conformance!(on_sqlite, support::SqliteFile::new());
conformance!(on_postgres, support::PostgresDatabase::new());
