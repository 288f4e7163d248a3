//! What hostile plugins try, each thing once. The guest makes its dispatch of these lists, and `tests/hostile_guests` its
//! tests: a name here without a function in the guest does not compile, nor does one without a test; and functions that
//! are not named here are dead code, which both sides deny. Must not hold anything but names.

/// What a guest tries while `run` is at work: by module, the functions of that name in the guest and in the tests.
macro_rules! every_act {
    ($generate:ident) => {
        $generate! {
            files {
                dot_dot, absolute, trailing_slash, nul_bytes, link_chains, links_with_trailing_slash, truncate,
                write_flags, hard_links, renames, removals, secret_names, special_files, linked_folder,
                extreme_times, ancient_files, foreign_scratch, foreign_cache,
            }
            proposals {
                reserved_names, device_names, ambiguous_names, colliding_names, ungranted_names, control_names,
                links_out, through_links, through_project_links, sparse_file, many_files, deep_folders,
                cache_flood, file_for_a_folder,
            }
            limits {
                endless_run, copy_storm, deep_recursion, deep_frames, grow_to_four_gib, use_all_memory, sleep_for_ever,
                poll_for_ever, blocked_stdin, million_handles, million_logs, million_activities, endless_stdout,
                endless_stderr, empty_lines, trap_in_run, panic_in_run, exit_in_run, timeout_then_again,
                deep_result, giant_result, giant_error, giant_question,
            }
            calls {
                log, progress, usage, poll, random_bytes, insecure_random_bytes, file_read, file_write,
                file_offsets, file_size, stream_read, stream_write, stream_zeroes, stream_splice, stream_skip,
                long_paths, long_links, preopens, folder_listings, clocks, terminals, answer_check, odd_answers,
                answer_keep, kept_flood,
            }
            world {
                environment, network_by_library, sockets, name_lookup,
            }
            words {
                in_result, in_error, in_question, in_log, in_progress, in_output, in_panic, in_file_names,
                in_file_contents, endless_schema, in_kept_answer,
            }
        }
    };
}

/// What a guest tries while `check` looks at a config.
macro_rules! every_check {
    ($generate:ident) => {
        $generate! {
            checks {
                endless_check, trap_in_check, files_in_check, words_in_check, many_faults,
            }
        }
    };
}

/// What a guest tries that was granted to run the launcher profile's command.
macro_rules! every_command {
    ($generate:ident) => {
        $generate! {
            commands {
                other_programs, giant_program, giant_arguments, giant_input, odd_attachments, odd_answer_files,
                many_processes, waits_for_ever, arguments_are_no_shell, passed_on,
            }
            dialogues {
                line_ends, giant_line, long_line, flood, never_read, after_the_end, after_finish, many_partners,
                waits_for_ever, other_programs,
            }
        }
    };
}

/// Files that claim to be plugins: each has its bytes in `fixtures` and its test in `plugin_files`.
macro_rules! every_plugin_file {
    ($generate:ident) => {
        $generate! {
            plugin_files {
                truncated, garbage, empty, core_module, native_code, half_a_gigabyte, compile_bomb,
                newer_contract, unknown_contract, unknown_import, process_without_asking, two_manifests,
                giant_manifest, words_in_manifest, endless_manifest_schema, nested_components, endless_start,
                trapping_realloc, realloc_outside_memory, result_outside_memory, result_of_four_gib,
                result_no_text, unknown_outcome, trap_after_return, giant_memory, giant_table, growing_table,
                many_instances,
            }
        }
    };
}

/// What somebody prepares outside the sandbox: a project, a home folder, inputs.
macro_rules! every_setting {
    ($generate:ident) => {
        $generate! {
            settings {
                bytes_swapped_after_approval, bytes_swapped_while_waiting, grants_others_can_write,
                grants_damaged, grants_from_the_future, grants_are_a_folder, plugin_never_granted,
                relative_command, command_in_the_project, path_led_by_the_project, profile_of_the_project,
                inputs_like_options, inputs_like_shell, names_like_options,
            }
        }
    };
}
