"""The tests of blocks, GPT, GPT-2's files and the look into our GPT refuse wrong versions, planted into a copy of the package."""

import pytest

from tests.mutation import Mutant

BLOCK, GPT, FILES, LENS = "tests/test_block.py::", "tests/test_gpt.py::", "tests/test_gpt2_loading.py::", "tests/test_lens_our_gpt.py::"
TORCHS, HAND = BLOCK + "test_layer_is_torchs_with_gradients", BLOCK + "test_by_hand_is_torchs"
STEPS, SAME_STEPS = BLOCK + "test_every_step_is_what_its_name_says", BLOCK + "test_steps_end_where_the_block_ends"
FUTURE, ROTARY = BLOCK + "test_the_future_changes_no_earlier_output", BLOCK + "test_rotary_by_hand_equals_layer"
SILENT, SILENT_POST = BLOCK + "test_with_silent_parts_a_pre_norm_block_is_the_identity", BLOCK + "test_with_silent_parts_a_post_norm_block_is_its_norms"
TURNED, DISTANCES = BLOCK + "test_rotary_turns_queries_and_keys_and_no_values", BLOCK + "test_rotary_tells_distances_alone"
CAUSAL, START = BLOCK + "test_causal_is_the_causal_mask_and_no_mask_is_none", BLOCK + "test_the_start"
COPIES, REFUSED = BLOCK + "test_by_hand_are_copies_of_all", BLOCK + "test_errors_by_hand_say_what_is_wrong"
EQUAL, LATER = GPT + "test_by_hand_equals_layer", GPT + "test_a_later_token_changes_no_earlier_logits"
TIED, COUNTS = GPT + "test_tied_is_one_tensor_and_stays_one", GPT + "test_counts_sum_to_the_parameters"
MEANS, NAMED = FILES + "test_logits_are_what_the_file_means", FILES + "test_tensors_that_are_not_as_they_should_be_are_named"
RECORDED, HEADS_OFF = LENS + "test_every_layer_is_recorded_as_it_computed", LENS + "test_heads_off_equal_a_direct_computation"


def wrong(module):
    return lambda name, change, *tests, raises=(): Mutant(name, f"course.{module}", change, tests, raises)


attention, block, config, model = map(wrong, ("blocks.attention", "blocks.block", "models.config", "models.gpt"))
files, lens, picked = map(wrong, ("pretrained.gpt2", "lens.our_gpt", "lens.run"))

FIRST_LINE = "x = x + self_attention(layer_norm(x, p[\"gamma_1\"], p[\"beta_1\"], eps), p, n_heads, mask, turn)"
SECOND = "x = x + feed_forward(layer_norm(x, p[\"gamma_2\"], p[\"beta_2\"], eps),"
LAYER_1 = "x = x + self.attention(self.norm_1(x), mask, causal=causal, positions=positions)"
LAYER_2 = "x = x + self.feed_forward(self.norm_2(x))"
POST_1, POST_2 = "x = self.norm_1(x + self.attention(x, mask, causal=causal, positions=positions))", "x = self.norm_2(x + self.feed_forward(x))"
DOCUMENT = "return self.feed_forward(x + self.attention(x, mask, causal=causal, positions=positions))"

MUTANTS = [
    # B1: the residual is missing, at each place
    block("no first residual by hand", {FIRST_LINE: FIRST_LINE.replace("x = x + ", "x = ")}, HAND, SILENT),
    block("no second residual by hand", {SECOND: SECOND.replace("x = x + ", "x = ")}, HAND, SILENT),
    block("no first residual in the layer", {LAYER_1: LAYER_1.replace("x = x + ", "x = ")}, TORCHS, SILENT),
    block("no second residual in the layer", {LAYER_2: LAYER_2.replace("x = x + ", "x = ")}, TORCHS, SILENT),
    block("no residual after the norm of 2017", {POST_2: "x = self.norm_2(self.feed_forward(x))"}, TORCHS, SILENT_POST),
    block("no residual in the document's", {DOCUMENT: DOCUMENT.replace("x + self", "self")}, TORCHS),
    block("a residual more in the document's", {DOCUMENT: DOCUMENT.replace("return ", "return x + ")}, TORCHS,
          BLOCK + "test_with_silent_parts_the_documents_block_forgets_everything"),
    block("a residual more in the document's by hand", {"return feed_forward(x + self_attention(": "return x + feed_forward(x + self_attention("}, HAND),
    # B3: pre and post mixed, or the norm on what a part gives
    block("the norm on the part's output", {LAYER_1: "x = x + self.norm_1(self.attention(x, mask, causal=causal, positions=positions))"}, TORCHS),
    block("post-norm named pre-norm", {LAYER_1: POST_1, LAYER_2: POST_2.replace("norm_2(x + ", "norm_2( x + ")}, TORCHS, SILENT),
    block("pre-norm named post-norm", {POST_1: LAYER_1 + " "}, TORCHS, SILENT_POST),
    block("the stream is normalised", {LAYER_2: "x = self.norm_2(x) + self.feed_forward(self.norm_2(x))"}, TORCHS, SILENT),
    block("post-norm by hand without its end", {"x = layer_norm(x + feed_forward(x, p[\"W_1\"], p[\"b_1\"], p[\"W_2\"], p[\"b_2\"], activation), p[\"gamma_2\"], p[\"beta_2\"], eps)":
          "x = x + feed_forward(x, p[\"W_1\"], p[\"b_1\"], p[\"W_2\"], p[\"b_2\"], activation)"}, HAND, SILENT_POST),
    block("one norm for both", {LAYER_2: LAYER_2.replace("norm_2", "norm_1")}, TORCHS),
    block("the first norm twice, by hand", {SECOND: SECOND.replace("gamma_2", "gamma_1").replace("beta_2", "beta_1")}, HAND),
    block("both parts read the same", {LAYER_1: "y, x = x, " + LAYER_1[4:], LAYER_2: "x = x + self.feed_forward(self.norm_2(y))"}, TORCHS),
    # parts that are not passed on
    block("eps not passed on by hand", {FIRST_LINE: FIRST_LINE.replace(", eps)", ")")}, HAND),
    block("the mask is not used by hand", {FIRST_LINE: FIRST_LINE.replace("mask, turn", "None, turn")}, HAND, FUTURE),
    block("the bend is not passed on", {'p["W_2"], p["b_2"], activation)\n    return x\n\n\ndef block_steps': 'p["W_2"], p["b_2"])\n    return x\n\n\ndef block_steps'},
          BLOCK + "test_by_hand_equals_layer_whatever_the_bend"),
    block("exact GELU by hand", {"activation: Callable = gelu_tanh, eps: float = 1e-5,\n          turn": "activation: Callable = relu, eps: float = 1e-5,\n          turn",
          "FeedForward, feed_forward, gelu_tanh": "FeedForward, feed_forward, gelu_tanh, relu"}, HAND, BLOCK + "test_the_bend_is_gelu_tanh_unless_told"),
    block("eps of the second norm is the default", {"self.attention = MultiHeadAttention(d_model, n_heads, bias, rotary)\n        self.norm_2 = LayerNorm(d_model, eps, bias)":
          "self.attention = MultiHeadAttention(d_model, n_heads, bias, rotary)\n        self.norm_2 = LayerNorm(d_model, bias=bias)"}, TORCHS),
    block("causal is not passed on", {LAYER_1: LAYER_1.replace("causal=causal", "causal=False")}, CAUSAL, FUTURE),
    block("positions are not passed on", {LAYER_1: LAYER_1.replace(", positions=positions", "")}, DISTANCES),
    block("the mask is not passed on", {LAYER_1: LAYER_1.replace("mask, ", "None, ")}, TORCHS, CAUSAL),
    # attention by hand
    block("no W_O by hand", {'merge_heads(found.output) @ p["W_O"] + p["b_O"]': 'merge_heads(found.output) + p["b_O"]'}, HAND, STEPS),
    block("no bias behind the heads", {' @ p["W_O"] + p["b_O"]': ' @ p["W_O"]'}, HAND, STEPS),
    block("no biases before the heads", {' + p[f"b_{a}"], n_heads)': ', n_heads)'}, HAND, STEPS),
    block("keys for values", {'for a in "QKV")  # (..., H': 'for a in "QKK")  # (..., H'}, HAND, STEPS),
    # R3, R5: what rotary positions turn
    block("values are turned by hand", {"q, k = turn(q), turn(k)": "q, k, v = turn(q), turn(k), turn(v)"}, ROTARY),
    block("keys are not turned by hand", {"q, k = turn(q), turn(k)": "q = turn(q)"}, ROTARY),
    attention("values are turned", {"q, k = self.rotary(q, positions), self.rotary(k, positions)": "q, k, v = (self.rotary(a, positions) for a in (q, k, v))"},
              TURNED, ROTARY, DISTANCES),
    attention("keys are not turned", {"q, k = self.rotary(q, positions), self.rotary(k, positions)": "q = self.rotary(q, positions)"}, TURNED, DISTANCES),
    attention("positions begin anew", {"if positions is None else positions\n": "\n", "positions = torch.arange(x.shape[-2], device=x.device)": "positions = torch.arange(x.shape[-2], device=x.device) "}, TURNED, DISTANCES),
    attention("positions begin at 1", {"torch.arange(x.shape[-2], device=x.device)": "1 + 2 * torch.arange(x.shape[-2], device=x.device)"}, ROTARY),
    # the causal path
    attention("causal is not asked for", {"is_causal=causal))": "is_causal=False))"}, CAUSAL, FUTURE, BLOCK + "test_causal_builds_no_mask"),
    attention("causal with weights sees the future", {".tril() if causal else mask": " if causal else mask"}, TURNED, raises=["TypeError"]),
    attention("causal builds a mask", {"return self._mix(F.scaled": "mask = torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool).tril() if causal else mask\n        causal = False\n        return self._mix(F.scaled"},
              BLOCK + "test_causal_builds_no_mask"),
    attention("causal beside another mask", {"if causal and not (mask is None and memory is None):": "if False:"},
              BLOCK + "test_causal_goes_with_no_other_mask_and_with_one_text", raises=["RuntimeError"]),
    attention("heads off are heard", {"if z.is_cuda or not self.heads_on.all():": "if z.is_cuda:"}, GPT + "test_heads_switched_off_are_not_heard", HEADS_OFF),
    # the steps
    block("steps without the second residual", {"added, middle + added)": "added, added)"}, STEPS, SAME_STEPS),
    block("steps normalise what came in", {'normed_2 = layer_norm(middle,': 'normed_2 = layer_norm(x,'}, STEPS, SAME_STEPS),
    block("steps without the mask", {"part = self_attention_steps(normed_1, p, n_heads, mask, turn)": "part = self_attention_steps(normed_1, p, n_heads, None, turn)"}, STEPS, SAME_STEPS),
    block("neurons shown before the bend", {"normed_2, inner, hidden, added,": "normed_2, hidden, inner, added,"}, STEPS),
    block("steps bend as they like", {"hidden = activation(inner)": "hidden = gelu_tanh(inner)"}, SAME_STEPS),
    # the start
    block("writers start like the others", {"STD / (2 * n_layers) ** 0.5 if linear in writers else STD": "STD"}, START, GPT + "test_the_start"),
    block("one part a block is counted", {"STD / (2 * n_layers) ** 0.5": "STD / n_layers**0.5"}, START, GPT + "test_the_start"),
    block("biases keep torch's start", {"        nn.init.zeros_(linear.bias)": "        pass"}, START),
    block("the document's block starts like GPT-2's", {"_draw(linear, (2.0 if linear is self.feed_forward.down else 1.0) ** 0.5 / linear.in_features**0.5)": "_draw(linear, STD)"},
          START, BLOCK + "test_the_documents_block_starts_without_fading"),
    # parameters carried over
    block("matrices are not transposed", {'_array(linear.weight).T, f"b_': '_array(linear.weight), f"b_'}, HAND, COPIES, raises=["ValueError"]),
    block("views, not copies", {".double().numpy().copy()\n\n\ndef _bias": ".double().numpy()\n\n\ndef _bias"}, COPIES),
    block("norms exchanged", {'getattr(layer, f"norm_{i}", None)': 'getattr(layer, f"norm_{3 - i}", None)'}, HAND),
    block("one number for all biases", {"if p[name].shape != expected:": "if p[name].ndim != len(expected):"}, REFUSED, raises=["ValueError"]),
    block("a mask for examples or heads", {"    _check_head_mask(mask, (*q.shape[:-1], q.shape[-2]))\n": ""}, REFUSED, raises=["ValueError"]),
    # the whole model by hand
    model("no positions by hand", {'    x = x + p["positions"][:T]\n': ""}, EQUAL),
    model("the last positions by hand", {'x = x + p["positions"][:T]': 'x = x + p["positions"][-T:]'}, EQUAL),
    model("no final norm by hand", {'x = layer_norm(x, p["gamma"], p["beta"], eps)\n': ""}, EQUAL),
    model("one block for all by hand", {"x = block(x, own,": 'x = block(x, p["blocks"][0],'}, EQUAL),
    model("no mask by hand", {"x = block(x, own, n_heads, causal_mask(T),": "x = block(x, own, n_heads, None,"}, EQUAL),
    model("eps not passed on to the blocks by hand", {"activation=activation, eps=eps, turn=turn)\n    x = layer": "activation=activation, turn=turn)\n    x = layer"}, EQUAL),
    model("steps without positions", {'x = first = embedding + p["positions"][:T]': "x = first = embedding"}, EQUAL, GPT + "test_every_step_is_what_its_name_says"),
    model("logits before the norm", {"normed, normed @": "normed, x @"}, EQUAL, GPT + "test_every_step_is_what_its_name_says"),
    # B4, B5, O8 and others in the layer
    model("no final norm", {"if block.needs_final_norm else": "if False else"}, EQUAL, COUNTS, raises=["AttributeError"]),
    block("a norm that is not needed", {"needs_final_norm = False\n\n    def __init__(self, d_model: int, n_heads: int, d_ff: int, activation: str = \"gelu_tanh\", eps: float = 1e-5,\n"
          "                 bias: bool = True, rotary: nn.Module | None = None):  # fmt: skip\n        super().__init__()\n        self.attention = MultiHeadAttention(d_model, n_heads, bias, rotary)\n        self.norm_1":
          "needs_final_norm = True\n\n    def __init__(self, d_model: int, n_heads: int, d_ff: int, activation: str = \"gelu_tanh\", eps: float = 1e-5,\n"
          "                 bias: bool = True, rotary: nn.Module | None = None):  # fmt: skip\n        super().__init__()\n        self.attention = MultiHeadAttention(d_model, n_heads, bias, rotary)\n        self.norm_1"},
          BLOCK + "test_which_stacks_need_a_norm_at_the_end", COUNTS),
    model("[layer] * L", {"self.blocks = nn.ModuleList(\n": "self.blocks = nn.ModuleList(config.n_layers * [\n", "rotary=rotary)\n            for _ in range(config.n_layers)\n        )": "rotary=rotary)\n        ])"},
          GPT + "test_blocks_are_built_anew_and_as_asked", COUNTS),
    model("the last block is left out", {"for layer in self.blocks:\n            x = layer": "for layer in self.blocks[:-1]:\n            x = layer"}, EQUAL, GPT + "test_gradients_reach_every_parameter_and_are_right",
          raises=["AttributeError"]),
    model("blocks in reverse order", {"for layer in self.blocks:\n            x = layer": "for layer in reversed(self.blocks):\n            x = layer"}, EQUAL),
    model("blocks see the future", {"x = layer(x, causal=True)": "x = layer(x)"}, EQUAL, LATER),
    model("tied weights are copied", {"self.unembedding.weight = self.embedding.weight": "self.unembedding.weight.data.copy_(self.embedding.weight)"}, TIED, COUNTS),
    model("always tied", {"        if config.tied:\n            self.un": "        if True:\n            self.un"}, TIED),
    model("the unembedding keeps torch's start", {"            nn.init.normal_(self.unembedding.weight, std=STD)": "            pass"}, GPT + "test_the_start"),
    model("blocks keep torch's start", {"            layer.initialise(config.n_layers)": "            pass"}, GPT + "test_the_start"),
    model("the activation is not passed on", {"activation=config.activation, ": ""}, EQUAL),
    model("eps is not passed on to the blocks", {"eps=config.eps, bias=config.bias, rotary": "bias=config.bias, rotary"}, EQUAL),
    model("eps is not passed on to the last norm", {"LayerNorm(C, config.eps, config.bias)": "LayerNorm(C, bias=config.bias)"}, EQUAL, GPT + "test_blocks_are_built_anew_and_as_asked"),
    model("biases whatever is asked", {"LayerNorm(C, config.eps, config.bias)": "LayerNorm(C, config.eps)"}, GPT + "test_blocks_are_built_anew_and_as_asked"),
    model("the inner width is not passed on", {"config.n_heads, config.d_ff,": "config.n_heads, 4 * C,"}, COUNTS),
    model("another base of the angles", {"RotaryPositions(config.d_head, config.rotary_base)": "RotaryPositions(config.d_head)"}, EQUAL, GPT + "test_positions_are_the_published_ones"),
    model("words drowned by positions", {"return ScaledEmbedding(V, C), ": "return Embedding(V, C, std=STD), "}, GPT + "test_positions_are_the_published_ones"),
    model("positions left out", {"return x if self.positions is None else self.positions(x)": "return x"}, EQUAL, GPT + "test_order_is_told_by_positions"),
    model("logits of what is not normalised", {"        x = self.norm(x)\n": ""}, EQUAL),
    model("tied counted twice", {"unembedding = 0 if self.config.tied else count": "unembedding = count"}, COUNTS),
    model("the last norm not counted", {"norms = count(*self.blocks, self.norm)": "norms = count(*self.blocks)"}, COUNTS),
    model("a scaled table carried over as it is", {"table * config.d_model**0.5 if isinstance": "table if isinstance"}, EQUAL),
    model("any number of axes", {"if torch.is_tensor(ids) and ids.ndim not in (1, 2):": "if False:"}, GPT + "test_ids_that_are_none_are_refused", raises=["ValueError", "RuntimeError"]),
    model("blocks that are another's by hand", {"if not isinstance(layer, PreNormBlock):": "if False:"}, GPT + "test_errors_by_hand_say_what_is_wrong", raises=["AttributeError"]),
    # the config
    config("the inner width stays 0", {"if self.d_ff == 0:": "if False:"}, GPT + "test_a_config_fills_in_and_is_frozen", raises=["ValueError"]),
    config("heads of unequal width", {"if self.d_model % self.n_heads:": "if False:"}, GPT + "test_a_config_refuses_what_does_not_fit"),
    config("pairs of an odd width", {'if self.positions == "rotary" and self.d_head % 2:': "if False:"}, GPT + "test_a_config_refuses_what_does_not_fit"),
    config("not a number is above 0", {"if not getattr(self, name) > 0:": "if getattr(self, name) <= 0:"}, GPT + "test_a_config_refuses_what_does_not_fit"),
    config("True is a size", {"if isinstance(value, bool):": "if False:"}, GPT + "test_a_config_refuses_what_does_not_fit"),
    # GPT-2's files
    files("Conv1D is not transposed", {"part.T if part.ndim == 2 else part": "part"}, MEANS, raises=["RuntimeError"]),
    files("queries and values exchanged", {'("attention.query", "attention.key", "attention.value")': '("attention.value", "attention.key", "attention.query")'}, MEANS),
    files("c_attn cut along the other axis", {"whole.chunk(len(names), dim=-1)": "whole.reshape(*whole.shape[:-1], -1, len(names)).unbind(-1)"}, MEANS),
    files("norms of a file exchanged", {'"ln_1": ("norm_1",)': '"ln_1": ("norm_2",)', '"ln_2": ("norm_2",)': '"ln_2": ("norm_1",)'}, MEANS),
    files("the last norm of a block", {'"norm.weight": tensors["ln_f.weight"]': '"norm.weight": tensors["h.0.ln_1.weight"]'}, MEANS),
    files("exact GELU for gelu_new", {'"gelu_new": "gelu_tanh"': '"gelu_new": "gelu"'}, MEANS),
    files("tanh for the exact GELU", {'"gelu": "gelu", "relu"': '"gelu": "gelu_tanh", "relu"'}, MEANS),
    files("eps is not read", {'eps=settings.get("layer_norm_epsilon", 1e-5),': "eps=1e-5,"}, MEANS),
    files("tied whatever is said", {'tied=settings.get("tie_word_embeddings", True))': "tied=True)"}, FILES + "test_an_untied_model_needs_its_head"),
    files("a head of its own is not used", {'tensors["wte.weight" if config.tied else "lm_head.weight"]': 'tensors["wte.weight"]'}, MEANS, FILES + "test_a_tied_config_with_two_different_tables_has_two"),
    files("two tables made one", {"if head is not None and config.tied and not": "if False and not"}, FILES + "test_a_tied_config_with_two_different_tables_has_two"),
    files("transformer. stays before the names", {'name.removeprefix("transformer."): tensor': "name: tensor"}, FILES + "test_names_with_transformer_before_them_and_masks_beside_them", raises=["NoModel"]),
    files("masks taken for tensors", {"if not MASK.fullmatch(name)": "if True"}, FILES + "test_names_with_transformer_before_them_and_masks_beside_them", raises=["NoModel"]),
    files("only the first of several files", {"for name in sorted(set(names.values()))]": "for name in sorted(set(names.values()))[:1]]"}, FILES + "test_several_files_with_their_index", raises=["NoModel"]),
    files("an index that leads out of the folder", {" and name == Path(name).name for name": " for name"}, FILES + "test_an_index_leads_nowhere_else"),
    files("what is missing is not said", {"    if missing:\n        raise no_model(\"tensors_missing\"": "    if False:\n        raise no_model(\"tensors_missing\""}, NAMED, raises=["KeyError"]),
    files("what is superfluous is passed over", {"superfluous = [name for name in tensors if name not in shapes]": "superfluous = []\n    tensors = {name: a for name, a in tensors.items() if name in shapes}"}, NAMED),
    files("shapes are not compared", {"    if misfit:": "    if False:"}, NAMED, raises=["RuntimeError"]),
    files("whole numbers are taken", {"    if no_floats:": "    if False:"}, NAMED),
    files("options that are not computed are passed over", {"        if settings.get(option, plain) != plain:": "        if False:"}, FILES + "test_what_our_gpt_does_not_compute_is_refused_by_name"),
    files("another architecture is taken", {'if settings.get("model_type") != "gpt2":': "if False:"}, FILES + "test_what_our_gpt_does_not_compute_is_refused_by_name"),
    files("a tokenizer larger than the table", {"if len(tokenizer) > vocab_size:": "if False:"}, FILES + "test_a_tokenizer_there_must_be_and_it_must_fit"),
    files("the hub goes before a folder", {" and not Path(name_or_path).is_dir()": ""}, FILES + "test_a_folder_goes_before_a_name_of_the_hub"),
    files("weights of any name", {"if not (folder / INDEX).is_file():": "if False:"}, FILES + "test_a_pickle_is_never_read", raises=["NoModel"]),
    files("half precision stays", {"model.load_state_dict(_ours(tensors, config))": "model.load_state_dict(_ours(tensors, config), assign=True)"}, FILES + "test_other_precisions_become_float32"),
    files("the name is not kept", {"    model.name = name\n": ""}, MEANS),
    # our GPT looked into
    lens("heads are not switched off", {"attention.heads_on[head] = False": "attention.heads_on[head] = True"}, HEADS_OFF),
    lens("heads stay off", {"block.attention.heads_on.copy_(switches)": "pass"}, HEADS_OFF, LENS + "test_nothing_stays_behind"),
    lens("all heads on afterwards", {"block.attention.heads_on.copy_(switches)": "block.attention.heads_on.fill_(True)"}, LENS + "test_switches_of_ones_own_are_kept"),
    lens("queries before they are turned", {"q, k, v = (a[0] for a in block.attention.heads(x))": "from course.blocks.attention import split_heads\n        a = block.attention\n        q, k, v = (split_heads(m(x), a.n_heads)[0] for m in (a.query, a.key, a.value))"}, RECORDED),
    lens("weights that see the future", {"block.attention.attend(x, causal=True)": "block.attention.attend(x)"}, RECORDED),
    lens("weights of the first layer for all", {"zip(self.model.blocks, inputs, strict=True)": "zip(self.model.blocks, inputs[:1] * len(inputs), strict=True)"}, RECORDED),
    lens("hooks stay", {"                handle.remove()": "                pass"}, LENS + "test_nothing_stays_behind", raises=["ValueError"]),
    lens("vectors before the last norm", {"logits = self.model.unembedding(vectors)": "vectors = inputs[-1]\n            logits = self.model.unembedding(vectors)"}, RECORDED),
    lens("bytes as question marks", {'raw.decode("utf-8")': 'raw.decode("utf-8", "replace")'}, LENS + "test_tokens_are_named_as_text_and_bytes_that_are_none_in_hexadecimal"),
    lens("rows without a token", {"if token >= len(self.tokenizer):": "if False:"}, LENS + "test_top_is_the_softmax_of_the_logits", raises=["ValueError"]),
    lens("no special tokens", {"special = set(self.tokenizer.special_tokens.values())": "special = set()"}, LENS + "test_tokens_are_named_as_text_and_bytes_that_are_none_in_hexadecimal"),
    lens("long texts are not cut", {"ids, known = ids[:longest],": "ids, known = ids,"}, LENS + "test_long_texts_are_cut_where_positions_end", raises=["ValueError"]),
    lens("the wrong note", {'"cut_by_the_model" if longest == self.limit else "cut"': '"cut"'}, LENS + "test_long_texts_are_cut_where_positions_end"),
    lens("heads counted from the end", {"if not (0 <= layer < layers and 0 <= head < heads):": "if layer >= layers or head >= heads:"}, LENS + "test_heads_that_there_are_not"),
    lens("any tokenizer", {"if not isinstance(tokenizer, BPETokenizer):": "if False:"}, LENS + "test_errors_say_what_is_wrong", raises=["AttributeError"]),
    picked("our GPT is not picked", {"if isinstance(model, GPT) and tokenizer is not None:": "if False:"}, LENS + "test_runnable_picks_it", raises=["AttributeError", "TypeError"]),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    mutant.assert_caught(among=MUTANTS)
