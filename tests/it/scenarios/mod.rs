//! Scenarios: the real command against the sandbox, over HTTP and with a file. The sandbox judges.

mod allowance;
mod attacks;
mod callbacks;
mod configuration;
mod connections;
mod cost;
mod crowd;
mod demo;
mod dialects;
mod disk;
mod failures;
mod hires;
mod injection;
mod kill;
mod load;
mod meetings;
mod network;
mod once;
mod operator;
mod pools;
mod privacy;
mod processes;
mod recruiter;
mod story;
mod surprise;
mod wecp;
