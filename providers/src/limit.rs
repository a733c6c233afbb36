//! How often a provider may be asked: quota, pause and concurrency. The only file that names `governor`.
