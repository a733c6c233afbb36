//! The doors for brokers, at the real servers: one story for both, told by duplicates, poison, crashes and absences.
//!
//! A broker joins by implementing `TestBroker` and one line of `stories!`. What only one of them has is in its own file.

mod nats;
mod process;
mod rabbitmq;
mod stories;
mod support;

/// Every story as a test of one broker.
macro_rules! stories {
    ($name:ident, $broker:ty) => {
        mod $name {
            use super::*;

            stories! { @each $broker;
                duplicates_and_reordering_make_one_row_each, poison_becomes_dead_letters_and_stops_nothing,
                nothing_is_acknowledged_while_the_database_is_away, a_slow_store_holds_no_more_than_its_share,
                what_was_committed_and_not_acknowledged_comes_again_and_changes_nothing,
                a_stop_finishes_what_is_in_hand, the_newest_address_counts_and_a_late_repeat_does_not,
                a_message_that_the_database_refuses_costs_only_itself, a_broker_that_is_away_is_waited_for,
                a_crashed_broker_loses_nothing_that_it_acknowledged, what_is_not_there_is_not_made_up,
                a_place_that_vanishes_is_waited_for, what_is_too_much_stays_at_the_broker,
                two_processes_share_the_messages, a_message_may_name_a_batch;
            }
        }
    };
    (@each $broker:ty; $($story:ident),+;) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                stories::$story::<$broker>().await;
            }
        )+
    };
}

stories!(at_nats, nats::TestNats);
stories!(at_rabbitmq, rabbitmq::TestRabbitMq);
